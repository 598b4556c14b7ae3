"""MikroTik: RouterOS 6 and 7."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.diagnosis.generate.flow import OLD_ADDRESS, answering, every_route, legs, received
from benchmarks.diagnosis.generate.render.output import Output
from benchmarks.diagnosis.generate.site import Site


def outputs(site: Site) -> Iterator[Output]:
    seven = site.router.kind == "routeros7"
    if site.router.kind not in {"routeros6", "routeros7"}:
        return
    sep = "/" if seven else " "
    yield Output("router-routes", "router", f"/ip{sep}route{sep}print", (_routes7 if seven else _routes6)(site))
    if site.family == "bgp":
        command = "/routing/bgp/session/print" if seven else "/routing bgp peer print status"
        yield Output("router-bgp", "router", command, (_sessions7 if seven else _sessions6)(site))
        if seven:
            yield Output("router-peers", "router", "/routing/bgp/connection/print", _connections7(site))
        yield Output(
            "router-filter",
            "router",
            f"/routing{sep}filter{'/rule' if seven else ''}{sep}print",
            _filter(site, seven=seven),
        )
    yield Output("router-addr", "router", f"/ip{sep}address{sep}print", addresses(site, seven=seven))
    yield Output("router-arp", "router", f"/ip{sep}arp{sep}print", arp(site))
    yield Output("router-firewall", "router", f"/ip{sep}firewall{sep}filter{sep}print", firewall(site))
    yield Output("router-nat", "router", f"/ip{sep}firewall{sep}nat{sep}print", nat(site))


PORTS = {"eth0": "bridge", "eth2": "vlan50", "eth3": "ether3"}


def addresses(site: Site, *, seven: bool) -> str:
    lines = (
        ["Columns: ADDRESS, NETWORK, INTERFACE", "# ADDRESS             NETWORK          INTERFACE"]
        if seven
        else ["Flags: X - disabled, I - invalid, D - dynamic ", " #   ADDRESS            NETWORK         INTERFACE"]
    )
    held = [("198.18.0.0/30", "198.18.0.2", "ether1"), *((n, a, PORTS[d]) for n, a, d in legs(site))]
    for i, (network, address, port) in enumerate(held):
        base, _, length = network.partition("/")
        text = f"{address}/{length}"
        lines.append(f"{i} {text:<19} {base:<16} {port}" if seven else f" {i}   {text:<18} {base:<15} {port}")
    return "\n".join(lines) + "\n"


def _routes6(site: Site) -> str:
    lines = [
        "Flags: X - disabled, A - active, D - dynamic, C - connect, S - static, r - rip, b - bgp, o - ospf, m - mme,",
        "B - blackhole, U - unreachable, P - prohibit",
        " #      DST-ADDRESS        PREF-SRC        GATEWAY            DISTANCE",
        f" 0 A S  0.0.0.0/0                          {site.router.uplink:<18}        1",
    ]
    rows = [("ADC", network, address, PORTS[device], 0) for network, address, device in legs(site)]
    for route in every_route(site):
        flags = ("A" if route.active else " ") + (" S" if route.source == "static" else "Db")
        rows.append((flags, route.prefix, "", route.via, 1 if route.source == "static" else 20))
    for i, (flags, prefix, source, via, distance) in enumerate(sorted(rows, key=lambda r: r[1])):
        lines.append(f"{i + 1:>2} {flags:<3}  {prefix:<18} {source:<15} {via:<18} {distance:>9}")
    return "\n".join(lines) + "\n"


def _routes7(site: Site) -> str:
    lines = [
        "Flags: D - DYNAMIC; A - ACTIVE; c - CONNECT, s - STATIC, b - BGP; + - ECMP",
        "Columns: DST-ADDRESS, GATEWAY, ROUTING-TABLE, DISTANCE",
        "#      DST-ADDRESS         GATEWAY          ROUTING-TABLE  DISTANCE",
        f"0  As  0.0.0.0/0           {site.router.uplink:<16} main                  1",
    ]
    found = every_route(site)
    active = [r.prefix for r in found if r.active and r.source == "bgp"]
    number = 1
    for route in found:
        if route.source == "static":
            head, distance = f"{number}  {'A' if route.active else ' '}s ", 1
            number += 1
        else:
            ecmp = "+" if route.active and active.count(route.prefix) > 1 else " "
            head, distance = f"  D{'A' if route.active else ' '}b{ecmp}", 20
        lines.append(f"{head:<6} {route.prefix:<19} {route.via:<16} {route.table:<14} {distance:>8}")
    for prefix, _, device in legs(site):
        name = site.router.vrf if site.router.vrf and device == "eth0" else "main"
        lines.append(f"  DAc   {prefix:<19} {PORTS[device]:<16} {name:<14}        0")
    return "\n".join(lines) + "\n"


def _sessions6(site: Site) -> str:
    lines = ["Flags: X - disabled, E - established "]
    for i, node in enumerate(n for n in site.nodes if site.router.neighbours and n.session.at_router is not None):
        word = str(node.session.at_router)
        good = word == "Established"
        disabled = "X" if "Admin" in word else "E" if good else " "
        state = "idle" if "Idle" in word else word.lower()
        uptime = "2d3h11m" if node.session.minutes else "3s"
        count = len(received(site, node)) if site.router.accepts != "none" else 0
        lines.append(
            f' {i} {disabled} name="{node.name}" instance=default remote-address={node.ip} remote-as={site.node_as} '
            f'tcp-md5-key="{"(hidden)" if node.ip in site.router.wants_password else ""}" nexthop-choice=default \n     multihop=no route-reflect=no hold-time=3m ttl=default in-filter=k8s-in '
            f'out-filter="" address-families=ip \n     default-originate=never remove-private-as=no as-override=no passive=no use-bfd=no '
        )
        if good:
            lines.append(
                f"     remote-id={node.ip} local-address={site.router.ip} uptime={uptime} prefix-count={count} updates-sent=1 "
                f"updates-received={count} \n     withdrawn-sent=0 withdrawn-received=0 remote-hold-time=4m used-hold-time=3m "
                "used-keepalive-time=1m \n     refresh-capability=yes as4-capability=yes state=established "
            )
        else:
            lines.append(f"     state={state} ")
    return "\n".join(lines) + "\n"


def _sessions7(site: Site) -> str:
    lines = ["Flags: E - established "]
    shown = [n for n in site.nodes if site.router.neighbours and n.session.at_router is not None]
    for i, node in enumerate(shown):
        word = str(node.session.at_router)
        good = word == "Established"
        if not good and "Admin" in word:
            continue  # a disabled connection has no session
        count = len(received(site, node))
        lines += [
            f' {i} {"E" if good else " "} name="{node.name}-1" ',
            f'     remote.address={node.ip} .as={site.node_as} .id={node.ip} .capabilities=mp,rr,gr,as4 .afi=ip .hold-time=4m .messages=31 .bytes=611 .eor="" '
            if good
            else f"     remote.address={node.ip} .as={site.node_as} ",
            f"     local.role=ebgp .address={site.router.ip} .as={site.router.as_number} .id={site.router.ip} .capabilities=mp,rr,gr,as4 .afi=ip ",
            "     output.procid=20 ",
            "     input.procid=20 .filter=k8s-in ebgp ",
        ]
        if good:
            uptime = "2d26m12s350ms" if node.session.minutes else "4s350ms"
            lines.append(f"     hold-time=3m keepalive-time=1m uptime={uptime} prefix-count={count} ")
        elif "bad-as" in site.tells:
            lines.append("     last-stopped=2024-05-02 09:20:11 .last-notification=bad-peer-as ")
    return "\n".join(lines) + "\n"


def _connections7(site: Site) -> str:
    """The configured ones, disabled or not."""
    lines = ["Flags: D - dynamic, X - disabled, I - inactive "]
    for i, node in enumerate(n for n in site.nodes if site.router.neighbours and n.session.at_router is not None):
        key = ' tcp-md5-key="(hidden)"' if node.ip in site.router.wants_password else ""
        lines += [
            f' {i} {"X" if "Admin" in str(node.session.at_router) else " "}  name="{node.name}" ',
            f"      remote.address={node.ip}/32 .as={site.node_as} ",
            f"      local.address={site.router.ip} .role=ebgp ",
            f"      connect=yes listen=yes routing-table=main as={site.router.as_number}{key} ",
            "      input.filter=k8s-in ",
        ]
    return "\n".join(lines) + "\n"


def _filter(site: Site, *, seven: bool) -> str:
    """v7 rejects what no rule accepts, v6 accepts what no rule discards."""
    accepts = site.router.accepts
    if seven:
        body = {
            "all": "if (dst in {p} && dst-len <= 32) {{ accept }} else {{ reject }}",
            "aggregate": "if (dst == {p}) {{ accept }} else {{ reject }}",
            "none": "if (dst in 10.77.77.0/24) {{ accept }} else {{ reject }}",
        }[accepts].format(p=_prefix(site))
        return f'Flags: X - disabled, I - inactive \n 0   chain=k8s-in rule="{body}" \n'
    if accepts == "all":
        return f'Flags: X - disabled \n 0   chain=k8s-in prefix={_prefix(site)} prefix-length=0-32 invert-match=no action=accept set-bgp-prepend-path="" \n'
    length = "" if accepts == "aggregate" else " prefix-length=0-32"
    prefix = _prefix(site) if accepts == "aggregate" else "10.77.77.0/24"
    return (
        f'Flags: X - disabled \n 0   chain=k8s-in prefix={prefix}{length} invert-match=no action=accept set-bgp-prepend-path="" \n'
        ' 1   chain=k8s-in invert-match=no action=discard set-bgp-prepend-path="" \n'
    )


def _prefix(site: Site) -> str:
    return site.pool if "/" in site.pool else "0.0.0.0/0"


def arp(site: Site) -> str:
    rows = [(node.ip, node.mac) for node in site.nodes[:12]]
    if site.client.on_lan:
        rows.append((site.client.ip, site.client.mac))
    vip = site.service.address
    if vip and (site.family == "l2") and "off-link" not in site.tells:
        known = site.router.neighbour.get(vip) or next((m for m, _ in answering(site)), "")
        rows.append((vip, known))
    lines = [
        "Flags: X - disabled, I - invalid, H - DHCP, D - dynamic, P - published, C - complete ",
        " #    ADDRESS         MAC-ADDRESS       INTERFACE",
    ]
    for i, (ip, mac) in enumerate(rows):
        lines.append(
            f" {i} {'DC' if mac else 'D '} {ip:<15} {mac.upper():<17} bridge"
            if mac
            else f" {i} D  {ip:<15}                   bridge"
        )
    return "\n".join(lines) + "\n"


def firewall(site: Site) -> str:
    rules = [
        (
            "defconf: accept established,related,untracked",
            "chain=forward action=accept connection-state=established,related,untracked",
        )
    ]
    if "drop-invalid" in site.router.firewall:
        rules.append(
            ("defconf: drop invalid", 'chain=forward action=drop connection-state=invalid log=no log-prefix=""')
        )
    if "drop-pool" in site.router.firewall:
        rules.append(
            (
                "clients stay out",
                f'chain=forward action=drop src-address={site.client.prefix} dst-address={_prefix(site)} log=no log-prefix=""',
            )
        )
    rules.append(
        (
            "defconf: drop all from WAN not DSTNATed",
            "chain=forward action=drop connection-state=new connection-nat-state=!dstnat in-interface-list=WAN",
        )
    )
    lines = ["Flags: X - disabled, I - invalid, D - dynamic "]
    for i, (comment, rule) in enumerate(rules):
        lines += [f" {i}    ;;; {comment}", f"      {rule} "]
    return "\n".join(lines) + "\n"


def nat(site: Site) -> str:
    lines = [
        "Flags: X - disabled, I - invalid, D - dynamic ",
        " 0    ;;; defconf: masquerade",
        "      chain=srcnat action=masquerade out-interface-list=WAN ipsec-policy=out,none ",
    ]
    if "dst-all" in site.router.nat:
        lines += [
            f" 1    chain=dstnat action=dst-nat to-addresses={site.network.rsplit('.', 1)[0]}.251 to-ports=8080 protocol=tcp dst-port={site.service.port} "
        ]
    if "src-clients" in site.router.nat:
        lines += [f" 1    chain=srcnat action=src-nat to-addresses={OLD_ADDRESS} src-address={site.client.prefix} "]
    return "\n".join(lines) + "\n"
