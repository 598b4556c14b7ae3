"""FRR inside MetalLB's speaker."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.diagnosis.generate.flow import exports
from benchmarks.diagnosis.generate.names import suffix
from benchmarks.diagnosis.generate.render.output import Output, watched
from benchmarks.diagnosis.generate.site import Node, Site


def outputs(site: Site) -> Iterator[Output]:
    if site.stack != "metallb-frr":
        return
    for node in watched(site):
        if node.agent != "Running":
            continue
        shell = f"kubectl -n metallb-system exec speaker-{suffix(site.rng)} -c frr -- vtysh -c"
        yield Output("speaker-bgp", node.name, f"{shell} 'show bgp summary'", _summary(site, node))
        if site.peers:
            command = f"{shell} 'show bgp neighbors {site.router.peer or site.router.ip}'"
            yield Output("speaker-neighbour", node.name, command, _neighbour(site, node))
        yield Output("speaker-table", node.name, f"{shell} 'show ip bgp'", _table(exports(site, node), node, site))
        sent = [p for p in exports(site, node) if p not in node.withheld] if node.session.believed else []
        peer = site.router.peer or site.router.ip
        yield Output(
            "speaker-sent",
            node.name,
            f"{shell} 'show bgp ipv4 neighbors {peer} advertised-routes'",
            _table(sent, node, site),
        )


def _summary(site: Site, node: Node) -> str:
    if not site.peers:
        return "% BGP instance not found\n"
    session = node.session
    good = session.at_node == "Established"
    word = "0" if good else session.at_node or "Idle"
    sent = str(len([p for p in exports(site, node) if p not in node.withheld])) if good else "0"
    uptime = ("2d03h11m" if session.minutes else "00:00:09") if good else "never"
    peer, number = site.router.peer or site.router.ip, site.router.as_number + ("bad-as" in site.tells)
    return (
        f"\nIPv4 Unicast Summary (VRF default):\nBGP router identifier {node.ip}, local AS number {site.node_as} vrf-id 0\n"
        "BGP table version 1\nRIB entries 1, using 192 bytes of memory\nPeers 1, using 724 KiB of memory\n\n"
        "Neighbor        V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc\n"
        f"{peer:<15} 4 {number:>10} {site.rng.randrange(4, 9000):>9} {site.rng.randrange(4, 9000):>9}        0    0    0 "
        f"{uptime:>8} {word:>12} {sent:>8} N/A\n\nTotal number of neighbors 1\n"
    )


def _neighbour(site: Site, node: Node) -> str:
    session = node.session
    good = session.at_node == "Established"
    peer, number = site.router.peer or site.router.ip, site.router.as_number + ("bad-as" in site.tells)
    why = "Waiting for Peer OPEN"
    if "Bad peer AS" in session.error:
        why = "Notification sent (OPEN Message Error/Bad Peer AS)"
    elif "Administrative" in session.error:
        why = "Notification received (Cease/Administrative Shutdown)"
    elif "rejected" in session.error:
        why = "Notification received (Cease/Connection rejected)"
    elif "Hold" in session.error:
        why = "Hold Timer Expired"
    return (
        f"BGP neighbor is {peer}, remote AS {number}, local AS {site.node_as}, external link\n"
        f"  BGP version 4, remote router ID {site.router.ip if good else '0.0.0.0'}, local router ID {node.ip}\n"
        f"  BGP state = {'Established, up for ' + ('2d03h11m' if session.minutes else '00:00:17') if good else session.at_node or 'Idle'}\n"
        "  Hold time is 90 seconds, keepalive interval is 30 seconds\n\n"
        f"  Connections established {int(good) + session.drops}; dropped {session.drops}\n"
        f"  Last reset {'never' if good and not session.drops else '00:00:17,  ' + why}\n"
        f"  External BGP neighbor may be up to {255 if site.router.peer and site.multihop else 1} hops away.\n"
    )


def _table(prefixes: list[str], node: Node, site: Site) -> str:
    if not prefixes:
        return "No BGP prefixes displayed, 0 exist\n"
    lines = [
        f"BGP table version is 1, local router ID is {node.ip}, vrf id 0",
        f"Default local pref 100, local AS {site.node_as}",
        "Status codes:  s suppressed, d damped, h history, * valid, > best, = multipath,",
        "               i internal, r RIB-failure, S Stale, R Removed",
        "Origin codes:  i - IGP, e - EGP, ? - incomplete",
        "",
        "    Network          Next Hop            Metric LocPrf Weight Path",
    ]
    lines += [f" *> {prefix:<16} 0.0.0.0                  0         32768 i" for prefix in prefixes]
    return "\n".join([*lines, "", f"Displayed  {len(prefixes)} routes and {len(prefixes)} total paths"]) + "\n"
