"""Cisco IOS and Arista EOS."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.diagnosis.generate.flow import Route, answering, every_route, received
from benchmarks.diagnosis.generate.render.output import Output
from benchmarks.diagnosis.generate.render.routers import changes, counted, frr_table, listed_neighbours, uptime
from benchmarks.diagnosis.generate.site import Site


def outputs(site: Site) -> Iterator[Output]:
    kind = site.router.kind
    if kind not in {"ios", "eos"}:
        return
    ios = kind == "ios"
    yield Output("router-routes", "router", "show ip route", _ios_routes(site) if ios else _eos_routes(site))
    if site.family == "bgp":
        text = _ios_summary(site) if ios else _eos_summary(site)
        yield Output("router-bgp", "router", "show ip bgp summary", text)
        if ios:
            yield Output("router-bgp-table", "router", "show ip bgp", frr_table(site).replace(", vrf id 0", ""))
        if "flaps" in site.tells or site.router.wants_password:
            yield Output("router-log", "router", "show logging", _logging(site))
    yield Output("router-arp", "router", "show ip arp", _ios_arp(site))


def _grouped(site: Site) -> list[tuple[str, list[Route]]]:
    found: dict[str, list[Route]] = {}
    for route in every_route(site):
        if route.active and route.table == "main":
            found.setdefault(route.prefix, []).append(route)
    return list(found.items())


def _ios_routes(site: Site) -> str:
    lines = [
        "Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP",
        f"Gateway of last resort is {site.router.uplink} to network 0.0.0.0",
        "",
        f"S*    0.0.0.0/0 [1/0] via {site.router.uplink}",
        f"C        {site.network} is directly connected, Vlan10",
    ]
    if not site.client.on_lan and not site.router.behind:
        lines.append(f"C        {site.client.prefix} is directly connected, Vlan50")
    for prefix, routes in _grouped(site):
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
        f" C        {site.network} is directly connected, Vlan10",
    ]
    for prefix, routes in _grouped(site):
        static = routes[0].source == "static"
        head = f" {'S  ' if static else 'B E'}      {prefix} [{'1' if static else '200'}/0] "
        for i, route in enumerate(routes):
            lines.append((head if i == 0 else " " * len(head)) + f"via {route.via}, Vlan10")
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
