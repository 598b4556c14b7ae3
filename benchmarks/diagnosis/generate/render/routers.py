"""Routers that are Linux hosts: FRR and BIRD."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.diagnosis.generate.flow import OLD_ADDRESS, answering, every_route, holds, legs, received, table
from benchmarks.diagnosis.generate.render.host import counted_by_kernel
from benchmarks.diagnosis.generate.render.output import Output
from benchmarks.diagnosis.generate.site import Node, Site


def outputs(site: Site) -> Iterator[Output]:
    kind = site.router.kind
    vip = site.service.address
    if kind == "frr":
        every = " vrf all" if site.router.vrf else ""
        yield Output("router-routes", "router", f"vtysh -c 'show ip route{every}'", frr_routes(site))
        if site.family == "bgp":
            yield Output("router-bgp", "router", f"vtysh -c 'show bgp{every} summary'", frr_summary(site))
            for node in listed_neighbours(site)[-1:]:
                vrf = f" vrf {site.router.vrf}" if site.router.vrf else ""
                command = f"vtysh -c 'show bgp{vrf} neighbors {node.ip}'"
                yield Output("router-bgp-neighbour", "router", command, frr_neighbour(site, node))
            table = f"show bgp vrf {site.router.vrf}" if site.router.vrf else "show ip bgp"
            yield Output("router-bgp-table", "router", f"vtysh -c '{table}'", frr_table(site))
    if kind == "bird":
        yield Output("router-routes", "router", "birdc show route", _bird_routes(site))
        yield Output("router-kernel", "router", "ip route", _kernel_routes(site))
        if site.family == "bgp":
            yield Output("router-bgp", "router", "birdc show protocols all", _bird_protocols(site))
    if kind in {"frr", "bird"}:
        yield Output("router-arp", "router", "ip neigh", _neighbours(site))
        if kind == "frr" and "flaps" in site.tells:
            yield Output("router-log", "router", "cat /var/log/frr/frr.log", _frr_log(site))
        if site.family == "bgp":
            yield Output("router-nstat", "router", "nstat -az", counted_by_kernel(site.rng, site.router.counters))
        yield Output("router-addr", "router", "ip addr", _addresses(site))
        yield Output("router-firewall", "router", "iptables-save -c", _firewall(site))
        if vip:
            yield Output("router-get", "router", f"ip route get {vip}", _get(site))


def listed_neighbours(site: Site) -> list[Node]:
    return [n for n in site.nodes if site.router.neighbours and n.session.at_router is not None]


def counted(site: Site, node: Node) -> str:
    """The column State/PfxRcd."""
    word = str(node.session.at_router)
    if word != "Established":
        return word
    if site.router.policy_missing:
        return "(Policy)"
    if site.router.accepts == "none":
        return "0"
    found = received(site, node)
    return str(len(found) if site.router.accepts == "all" else len([p for p in found if not p.endswith("/32")]))


def uptime(site: Site, node: Node) -> str:
    if node.session.at_router != "Established":
        return site.rng.choice(("never", "00:00:21", "01:12:40"))
    if "rehash" in site.tells and node.session.drops:
        return "00:04:12"  # the node was restarted
    return "2d03h11m" if node.session.minutes else "00:00:12"


def frr_summary(site: Site) -> str:
    vrf = site.router.vrf or "default"
    shown = listed_neighbours(site)
    lines = [
        "",
        f"IPv4 Unicast Summary (VRF {vrf}):",
        f"BGP router identifier {site.router.ip}, local AS number {site.router.as_number} vrf-id 0",
        "BGP table version 6",
        "RIB entries 3, using 576 bytes of memory",
        f"Peers {len(shown)}, using {724 * len(shown)} KiB of memory",
        "",
        "Neighbor        V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc",
    ]
    for node in shown:
        lines.append(
            f"{node.ip:<15} 4 {site.node_as:>10} {site.rng.randrange(4, 90000):>9} {site.rng.randrange(4, 90000):>9}        0    0    0 "
            f"{uptime(site, node):>8} {counted(site, node):>12} {'(Policy)' if site.router.policy_missing else '2':>8} {node.name}"
        )
    return (
        "\n".join([*lines, "", f"Total number of neighbors {len(shown)}"]) + "\n"
        if shown
        else "% No BGP neighbors found in VRF default\n"
    )


def frr_neighbour(site: Site, node: Node) -> str:
    """`show bgp neighbors X`: the parts of it that tell why a session is down."""
    word = str(node.session.at_router)
    good = word == "Established"
    lines = [f"BGP neighbor is {node.ip}, remote AS {site.node_as}, local AS {site.router.as_number}, external link"]
    if "Admin" in word:
        lines.append(" Administratively shut down")
    lines += [
        f"  BGP version 4, remote router ID {node.ip if good else '0.0.0.0'}, local router ID {site.router.ip}",
        f"  BGP state = {'Established, up for ' + uptime(site, node) if good else word.replace(' (Admin)', '')}",
        "  Hold time is 180 seconds, keepalive interval is 60 seconds",
        "  Message statistics:",
        "    Inq depth is 0",
        "    Outq depth is 0",
        "                         Sent       Rcvd",
        f"    Opens:         {int(good):>10} {int(good):>10}",
        f"    Updates:       {int(good):>10} {len(received(site, node)) + 1 if good else 0:>10}",
        f"    Keepalives:    {4010 * good:>10} {4012 * good:>10}",
        "",
        " For address family: IPv4 Unicast",
    ]
    if not site.router.policy_missing:
        lines += ["  Inbound path policy configured", "  Route map for incoming advertisements is *k8s-in"]
    if site.router.policy_missing:
        lines += [
            "  Inbound updates discarded due to missing policy",
            "  Outbound updates discarded due to missing policy",
        ]
    count = counted(site, node)
    lines += [f"  {count if count.isdecimal() else 0} accepted prefixes", ""]
    lines.append(f"  Connections established {int(good) + node.session.drops}; dropped {node.session.drops}")
    if "bad-as" in site.tells:
        lines.append("  Last reset 00:00:19,  Notification received (OPEN Message Error/Bad Peer AS)")
    elif "Admin" in word:
        lines.append("  Last reset 00:40:04,  Admin. shutdown")
    elif node.session.drops:
        lines.append(
            "  Last reset 00:00:14,  Hold Timer Expired"
            if "Hold" in node.session.error
            else "  Last reset 00:00:14,  BFD down received"
        )
    elif not good:
        lines.append("  Last reset 02:11:19,  Waiting for Peer OPEN")
    return (
        "\n".join([*lines, f"  External BGP neighbor may be up to {1 if not site.router.peer else 255} hops away."])
        + "\n"
    )


def frr_table(site: Site) -> str:
    routes = [r for r in every_route(site) if r.source == "bgp"]
    if not routes:
        return "No BGP prefixes displayed, 0 exist\n"
    lines = [
        f"BGP table version is 7, local router ID is {site.router.ip}, vrf id 0",
        f"Default local pref 100, local AS {site.router.as_number}",
        "Status codes:  s suppressed, d damped, h history, u unsorted, * valid, > best, = multipath,",
        "               i internal, r RIB-failure, S Stale, R Removed",
        "Nexthop codes: @NNN nexthop's vrf id, < announce-nh-self",
        "Origin codes:  i - IGP, e - EGP, ? - incomplete",
        "RPKI validation codes: V valid, I invalid, N Not found",
        "",
        "     Network          Next Hop            Metric LocPrf Weight Path",
    ]
    seen: set[str] = set()
    best: set[str] = set()
    for route in routes:
        first = route.prefix not in best
        mark = "*> " if first else "*= " if site.router.multipath else "*  "
        if route.note == "inaccessible":
            mark = "   "
        elif route.note:
            mark = ("r> " if first else "r  ") if site.router.kind == "ios" else mark
        best.add(route.prefix)
        name = "" if route.prefix in seen else route.prefix
        seen.add(route.prefix)
        lines.append(f" {mark:<4}{name:<16} {route.via:<20}                   0 {route.as_path} i")
    return "\n".join([*lines, "", f"Displayed {len(seen)} routes and {len(routes)} total paths"]) + "\n"


def frr_routes(site: Site) -> str:
    lines = [
        "Codes: K - kernel route, C - connected, L - local, S - static, R - RIP,",
        "       O - OSPF, I - IS-IS, B - BGP, E - EIGRP, N - NHRP,",
        "       > - selected route, * - FIB route, q - queued, r - rejected, b - backup",
        "",
    ]
    vrf = site.router.vrf
    default = [f"S>* 0.0.0.0/0 [1/0] via {site.router.uplink}, eth1, weight 1, 5w2d11h"]
    apart = {d: f"C>* {n} is directly connected, {d}, 5w2d11h" for n, _, d in legs(site)}
    if vrf:
        inner = [apart.pop("eth0"), *_zebra(site, vrf)]
        return "\n".join([*lines, f"VRF {vrf}:", *inner, "", "VRF default:", *default, *apart.values()]) + "\n"
    return "\n".join([*lines, *default, *apart.values(), *_zebra(site, "main")]) + "\n"


def _zebra(site: Site, table: str) -> list[str]:
    """The rows of one table that are not connected ones."""
    lines: list[str] = []
    seen: set[str] = set()
    for route in every_route(site):
        if route.table != table:
            continue
        letter, distance = ("S", 1) if route.source == "static" else ("B", 20)
        if route.active and route.prefix + letter in seen:
            lines.append(f"  *{' ' * (len(route.prefix) + 8)}via {route.via}, eth0, weight 1, 02:11:40")
            continue
        if not route.active:
            if route.note == "rib-failure" and route.prefix + letter not in seen:
                lines.append(f"{letter}>r {route.prefix} [{distance}/0] via {route.via}, eth0, weight 1, 02:11:40")
                seen.add(route.prefix + letter)
            elif route.note == "inaccessible":
                lines.append(f"{letter}   {route.prefix} [{distance}/0] via {route.via} inactive, weight 1, 02:11:40")
            elif (
                route.prefix + letter not in seen
                and route.note != "rib-failure"
                and any(r.active and r.source == "static" and r.prefix == route.prefix for r in every_route(site))
            ):
                lines.append(f"{letter}   {route.prefix} [{distance}/0] via {route.via}, eth0, weight 1, 02:11:40")
                seen.add(route.prefix + letter)
            continue
        seen.add(route.prefix + letter)
        lines.append(f"{letter}>* {route.prefix} [{distance}/0] via {route.via}, eth0, weight 1, 02:11:40")
    return lines


def _bird_protocols(site: Site) -> str:
    lines = ["BIRD 2.0.12 ready.", "Name       Proto      Table      State  Since         Info"]
    lines += [
        "device1    Device     ---        up     2024-04-11    ",
        "kernel1    Kernel     master4    up     2024-04-11    ",
    ]
    for node in listed_neighbours(site):
        word = str(node.session.at_router)
        name = "k8s_" + node.ip.replace(".", "_")
        error = "BGP Error: Bad peer AS" if "bad-as" in site.tells else ""
        state = "up" if word == "Established" else "down" if "Admin" in word else "start"
        since = "09:31:08.112" if "flaps" in site.tells else "2024-04-12"
        lines.append(
            f"{name:<10} BGP        ---        {state:<6} {since:<13} {'' if 'Admin' in word else word:<13} {error}".rstrip()
        )
        lines += [
            f"  BGP state:          {'Down' if 'Admin' in word else word}",
            f"    Neighbor address: {node.ip}",
            f"    Neighbor AS:      {site.node_as}",
        ]
        if word == "Established":
            count, offered = int(counted(site, node)), len(received(site, node))
            lines += [
                f"    Local AS:         {site.router.as_number}",
                "  Channel ipv4",
                "    State:          UP",
                "    Table:          master4",
                "    Preference:     100",
                f"    Input filter:   {'ACCEPT' if site.router.accepts == 'all' else 'k8s_in'}",
                "    Output filter:  REJECT",
                f"    Routes:         {count} imported, 0 exported, {count} preferred",
                "    Route change stats:     received   rejected   filtered    ignored   accepted",
                f"      Import updates:     {offered:>10} {0:>10} {offered - count:>10} {0:>10} {count:>10}",
                f"      Import withdraws:   {0:>10} {0:>10}        --- {0:>10} {0:>10}",
                f"      Export updates:     {0:>10} {0:>10} {0:>10}        --- {0:>10}",
                f"      Export withdraws:   {0:>10}        ---        ---        --- {0:>10}",
            ]
        lines.append("")
    return "\n".join(lines) + "\n"


def _bird_routes(site: Site) -> str:
    lines = [
        "BIRD 2.0.12 ready.",
        "Table master4:",
        "0.0.0.0/0            unicast [static1 2024-04-11] * (200)",
        f"\tvia {site.router.uplink} on eth1",
    ]
    seen: set[str] = set()
    for route in every_route(site):
        name = "" if route.prefix in seen else route.prefix
        first = "!" if route.note == "rib-failure" else "*" if name and not route.note else " "
        seen.add(route.prefix)
        peer = next((n.ip for n in site.nodes if route.via == n.peer_source), route.via)
        owner = "static1" if route.source == "static" else "k8s_" + peer.replace(".", "_")
        tail = f"({200 if route.source == 'static' else 100})" + (
            f" [AS{route.as_path}i]" if route.source == "bgp" else ""
        )
        if route.note == "inaccessible":  # BIRD takes it, and looks no further for the next hop
            tail = tail.replace("(100)", "(100/-)")
            lines.append(f"{name:<20} unreachable [{owner} 2024-04-12 from {peer}] {'*' if name else ' '} {tail}")
            continue
        lines += [
            f"{name:<20} unicast [{owner} 2024-04-12] {first} {tail}".replace("  (", " ("),
            f"\tvia {route.via} on eth0",
        ]
    return "\n".join(lines) + "\n"


def _kernel_routes(site: Site) -> str:
    """What BIRD gives to the kernel, with `merge paths` or without: its own table does not tell."""
    lines = [f"default via {site.router.uplink} dev eth1 proto bird metric 32"]
    lines.append(f"{site.network} dev eth0 proto kernel scope link src {site.router.ip}")
    hops: dict[str, list[str]] = {}
    for route in every_route(site):
        if route.active and not route.note and route.table == "main":
            hops.setdefault(route.prefix.removesuffix("/32"), []).append(route.via)
    for prefix, vias in sorted(hops.items()):
        if len(vias) == 1:
            lines.append(f"{prefix} via {vias[0]} dev eth0 proto bird metric 32")
        else:
            lines.append(f"{prefix} proto bird metric 32")
            lines += [f"\tnexthop via {via} dev eth0 weight 1" for via in vias]
    return "\n".join(lines) + "\n"


def _neighbours(site: Site) -> str:
    lines = [f"{n.ip} dev eth0 lladdr {n.mac} REACHABLE" for n in site.nodes[:12]]
    if site.client.on_lan:
        lines.append(f"{site.client.ip} dev eth0 lladdr {site.client.mac} STALE")
    vip = site.service.address
    if vip and site.family == "l2" and "off-link" not in site.tells:
        known = site.router.neighbour.get(vip) or next((m for m, _ in answering(site)), "")
        lines.append(f"{vip} dev eth0 lladdr {known} REACHABLE" if known else f"{vip} dev eth0  FAILED")
    return "\n".join(lines) + "\n"


def _addresses(site: Site) -> str:
    router = site.router
    held = [(device, f"{address}/{network.split('/')[1]}") for network, address, device in legs(site)]
    held.insert(1, ("eth1", "198.18.0.2/30"))
    if router.peer and not any(device == "eth2" for device, _ in held):
        held.append(("eth2", f"{router.office_ip}/24"))
    lines = [
        "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000",
        "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00",
        "    inet 127.0.0.1/8 scope host lo",
    ]
    for i, (device, address) in enumerate(held):
        lines += [
            f"{i + 2}: {device}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 1000",
            f"    link/ether 48:8f:5a:10:22:0{i + 1} brd ff:ff:ff:ff:ff:ff",
            f"    inet {address} scope global {device}",
        ]
    return "\n".join(lines) + "\n"


def _firewall(site: Site) -> str:
    lines = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [90:9120]", ":OUTPUT ACCEPT [0:0]"]
    lines.append("[88120:91200331] -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
    if "drop-invalid" in site.router.firewall:
        lines.append(f"[{site.rng.randrange(9, 800)}:9120] -A FORWARD -m conntrack --ctstate INVALID -j DROP")
    if "drop-pool" in site.router.firewall:
        lines.append(f"[{site.rng.randrange(9, 800)}:4420] -A FORWARD -s {site.client.prefix} -d {site.pool} -j DROP")
    lines += [
        "COMMIT",
        "*nat",
        ":PREROUTING ACCEPT [0:0]",
        ":POSTROUTING ACCEPT [0:0]",
        "[9012:540720] -A POSTROUTING -o eth1 -j MASQUERADE",
    ]
    if "dst-all" in site.router.nat:
        lines.append(
            f"[77:4620] -A PREROUTING -p tcp -m tcp --dport {site.service.port} -j DNAT --to-destination {site.network.rsplit('.', 1)[0]}.251:8080"
        )
    if "src-clients" in site.router.nat:
        lines.append(f"[77:4620] -A POSTROUTING -s {site.client.prefix} -j SNAT --to-source {OLD_ADDRESS}")
    return "\n".join([*lines, "COMMIT"]) + "\n"


def _get(site: Site) -> str:
    vip = site.service.address
    chosen = [r for r in table(site) if r.active]
    if chosen:
        return f"{vip} via {chosen[0].via} dev eth0 src {site.router.ip} uid 0\n    cache\n"
    if holds(site.network, vip):
        return f"{vip} dev eth0 src {site.router.ip} uid 0\n    cache\n"
    return f"{vip} via {site.router.uplink} dev eth1 src 198.18.0.2 uid 0\n    cache\n"


def changes(site: Site) -> list[tuple[str, str, str]]:
    """(time, neighbour, Up or Down) of a session that flaps."""
    node = next((node for node in site.nodes if node.session.drops), None)
    if node is None:
        return []
    return [(f"09:{20 + i}:1{i}", node.ip, "Up" if i % 2 else "Down") for i in range(8)]


def _frr_log(site: Site) -> str:
    lines = []
    for time, peer, word in changes(site):
        why = (
            ""
            if word == "Up"
            else " Hold Timer Expired"
            if any("Hold" in node.session.error for node in site.nodes)
            else " BFD down received"
        )
        lines.append(
            f"2024/05/02 {time} BGP: [M59KS-A3ZXZ] bgp_update_receive: rcvd End-of-RIB for IPv4 Unicast from {peer} in vrf default"
            if word == "Up"
            else f"2024/05/02 {time} BGP: %ADJCHANGE: neighbor {peer}(Unknown) in vrf default Down{why}"
        )
        if word == "Up":
            lines.append(f"2024/05/02 {time} BGP: %ADJCHANGE: neighbor {peer}(Unknown) in vrf default Up")
    return "\n".join(lines) + "\n"
