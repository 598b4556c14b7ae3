"""Cisco IOS and Arista EOS."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.diagnosis.generate.flow import Route, answering, every_route, legs, received
from benchmarks.diagnosis.generate.render.output import Output
from benchmarks.diagnosis.generate.render.routers import changes, counted, frr_table, listed_neighbours, uptime
from benchmarks.diagnosis.generate.site import Node, Site


def outputs(site: Site) -> Iterator[Output]:
    kind = site.router.kind
    if site.router.behind:
        yield Output("router-behind-routes", "edge1", "show ip route", _behind(site))
    if kind not in {"ios", "eos"}:
        return
    ios = kind == "ios"
    vrf = site.router.vrf
    yield Output("router-routes", "router", "show ip route", _ios_routes(site, "main") if ios else _eos_routes(site))
    if vrf:
        yield Output("router-routes", "router", f"show ip route vrf {vrf}", _ios_routes(site, vrf))
    if site.family == "bgp":
        text = _ios_summary(site) if ios else _eos_summary(site)
        bgp = f"show bgp vpnv4 unicast vrf {vrf}" if vrf else "show ip bgp"
        yield Output("router-bgp", "router", f"{bgp} summary", text)
        if ios:
            yield Output("router-bgp-table", "router", bgp, frr_table(site).replace(", vrf id 0", ""))
        else:
            yield Output("router-bgp-table", "router", "show ip bgp", _eos_table(site))
        for node in listed_neighbours(site)[-1:]:
            if ios and not vrf and node.session.at_router == "Established":
                command = f"show ip bgp neighbors {node.ip}"
                yield Output("router-bgp-neighbour", "router", command, _ios_neighbour(site, node))
        if "flaps" in site.tells or site.router.wants_password:
            yield Output("router-log", "router", "show logging", _logging(site))
    yield Output("router-arp", "router", "show ip arp", _ios_arp(site))


def _grouped(site: Site, table: str) -> list[tuple[str, list[Route]]]:
    found: dict[str, list[Route]] = {}
    for route in every_route(site):
        if route.active and route.table == table:
            found.setdefault(route.prefix, []).append(route)
    return list(found.items())


VLANS = {"eth0": "Vlan10", "eth2": "Vlan50", "eth3": "Vlan99"}


def _ios_routes(site: Site, table: str) -> str:
    lines = ["", f"Routing Table: {table}"] if table != "main" else []
    lines.append("Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP")
    last = f"is {site.router.uplink} to network 0.0.0.0" if table == "main" else "is not set"
    lines += [f"Gateway of last resort {last}", ""]
    if table == "main":
        lines.append(f"S*    0.0.0.0/0 [1/0] via {site.router.uplink}")
    for network, address, device in legs(site):
        if (site.router.vrf if site.router.vrf and device == "eth0" else "main") == table:
            lines.append(f"C        {network} is directly connected, {VLANS[device]}")
            lines.append(f"L        {address}/32 is directly connected, {VLANS[device]}")
    for prefix, routes in _grouped(site, table):
        static = routes[0].source == "static"
        head = f"{'S' if static else 'B'}        {prefix} "
        for i, route in enumerate(routes):
            text = f"[{'1' if static else '20'}/0] via {route.via}" + ("" if static else ", 02:11:40")
            lines.append((head if i == 0 else " " * len(head)) + text)
    return "\n".join(lines) + "\n"


def _eos_routes(site: Site) -> str:
    lines = [
        "VRF: default",
        "Codes: C - connected, S - static, K - kernel,",
        "       B - Other BGP Routes, B I - iBGP, B E - eBGP",
        "",
        f" S        0.0.0.0/0 [1/0] via {site.router.uplink}, Ethernet48",
        *(f" C        {network} is directly connected, {VLANS[device]}" for network, _, device in legs(site)),
    ]
    for prefix, routes in _grouped(site, "main"):
        static = routes[0].source == "static"
        head = f" {'S  ' if static else 'B E'}      {prefix} [{'1' if static else '200'}/0] "
        for i, route in enumerate(routes):
            lines.append((head if i == 0 else " " * len(head)) + f"via {route.via}, Vlan10")
    return "\n".join(lines) + "\n"


def _behind(site: Site) -> str:
    """The table of the router that is the client's gateway; it knows its own networks and the way out."""
    lines = ["Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP"]
    lines += ["Gateway of last resort is 198.18.7.1 to network 0.0.0.0", ""]
    lines.append("S*    0.0.0.0/0 [1/0] via 198.18.7.1")
    legs_ = ((site.client.prefix, site.router.behind, "Vlan50"), ("10.255.255.0/30", "10.255.255.2", "Vlan99"))
    for network, address, port in legs_:
        lines += [
            f"C        {network} is directly connected, {port}",
            f"L        {address}/32 is directly connected, {port}",
        ]
    return "\n".join(lines) + "\n"


def _ios_summary(site: Site) -> str:
    lines = [
        f"BGP router identifier {site.router.ip}, local AS number {site.router.as_number}",
        "BGP table version is 42, main routing table version 42",
        "",
        "Neighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd",
    ]
    for node in listed_neighbours(site):
        lines.append(
            f"{node.ip:<15} 4 {site.node_as:>12} {4021:>7} {4100:>7} {42:>8}    0    0 {uptime(site, node):<8} {counted(site, node):>8}"
        )
    return "\n".join(lines) + "\n"


def _ios_neighbour(site: Site, node: Node) -> str:
    """The parts that tell what was taken in; IOS counts what a policy denies."""
    count = counted(site, node)
    denied = len(received(site, node)) - int(count)
    lines = [
        f"BGP neighbor is {node.ip},  remote AS {site.node_as}, external link",
        f"  BGP version 4, remote router ID {node.ip}",
        "  BGP state = Established, up for 2d03h",
        "",
        " For address family: IPv4 Unicast",
        "                                 Sent       Rcvd",
        "  Prefix activity:               ----       ----",
        f"    Prefixes Current:               0 {count:>10} (Consumes {136 * int(count)} bytes)",
        f"    Prefixes Total:                 0 {count:>10}",
        "",
        "                                   Outbound    Inbound",
        "  Local Policy Denied Prefixes:    --------    -------",
    ]
    lines += [f"    route-map:                            0 {denied:>10}"] if denied else []
    lines += [
        f"    Total:                                0 {denied:>10}",
        "  Number of NLRIs in the update sent: max 1, min 0",
    ]
    return "\n".join(lines) + "\n"


def _eos_summary(site: Site) -> str:
    lines = [
        "BGP summary information for VRF default",
        f"Router identifier {site.router.ip}, local AS number {site.router.as_number}",
        "Neighbor Status Codes: m - Under maintenance",
        "  Neighbor         V AS           MsgRcvd   MsgSent  InQ OutQ  Up/Down State   PfxRcd PfxAcc",
    ]
    for node in listed_neighbours(site):
        good = node.session.at_router == "Established"
        state = "Estab" if good else str(node.session.at_router).replace("Idle (Admin)", "Idle(Admin)")
        count = len(received(site, node)) if good else ""
        lines.append(
            f"  {node.ip:<16} 4 {site.node_as:<12} {4021:>7} {4100:>9}    0    0 {uptime(site, node):>8} {state:<7} {count:<6} {counted(site, node) if good else ''}".rstrip()
        )
    return "\n".join(lines) + "\n"


def _eos_table(site: Site) -> str:
    lines = [
        "BGP routing table information for VRF default",
        f"Router identifier {site.router.ip}, local AS number {site.router.as_number}",
        "Route status codes: s - suppressed contributor, * - valid, > - active, E - ECMP head, e - ECMP",
        "                    S - Stale, c - Contributing to ECMP, b - backup, L - labeled-unicast",
        "                    % - Pending best path selection",
        "Origin codes: i - IGP, e - EGP, ? - incomplete",
        "RPKI Origin Validation codes: V - valid, I - invalid, U - unknown",
        "AS Path Attributes: Or-ID - Originator ID, C-LST - Cluster List, LL Nexthop - Link Local Nexthop",
        "",
        "          Network                Next Hop              Metric  AIGP       LocPref Weight  Path",
    ]
    routes = [r for r in every_route(site) if r.source == "bgp"]
    seen: set[str] = set()
    for route in routes:
        first = route.prefix not in seen
        several = site.router.multipath and len([r for r in routes if r.prefix == route.prefix]) > 1
        chosen = (">Ec" if first else " ec") if several else ("> " if first else "  ")
        beaten = any(r.source != "bgp" and r.active and r.prefix == route.prefix for r in every_route(site))
        mark = "  " if route.note == "inaccessible" else "*" if route.note or beaten else f"* {chosen}"
        seen.add(route.prefix)
        lines.append(
            f" {mark:<8} {route.prefix:<22} {route.via:<21} 0       -          100     0       {route.as_path} i"
        )
    return "\n".join(lines) + "\n"


def _ios_arp(site: Site) -> str:
    lines = ["Protocol  Address          Age (min)  Hardware Addr   Type   Interface"]
    rows = [(n.ip, n.mac) for n in site.nodes[:12]]
    vip = site.service.address
    if vip and site.family == "l2" and "off-link" not in site.tells:
        rows.append((vip, site.router.neighbour.get(vip) or next((m for m, _ in answering(site)), "")))
    for ip, mac in rows:
        plain = mac.replace(":", "")
        dotted = f"{plain[:4]}.{plain[4:8]}.{plain[8:]}" if mac else "Incomplete"
        lines.append(f"Internet  {ip:<16} {'12' if mac else '0':>7}     {dotted:<15} ARPA   Vlan10")
    return "\n".join(lines) + "\n"


def _logging(site: Site) -> str:
    lines = [
        f"May  2 {time}: %BGP-5-ADJCHANGE: neighbor {peer} {word}{'' if word == 'Up' else ' BGP Notification sent'}"
        for time, peer, word in changes(site)
    ]
    lines += [
        f"May  2 09:2{i}:41: %TCP-6-BADAUTH: No MD5 digest from {peer}({site.rng.randrange(33000, 60000)}) to {site.router.ip}(179)"
        for i, peer in enumerate(site.router.wants_password * 2)
        if i < 10
    ]
    return "\n".join(lines) + "\n"
