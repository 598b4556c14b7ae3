"""BGP tables.

Reads: `show ip bgp`, `show bgp ipv4 unicast` and a neighbour's `routes`, `received-routes`, `advertised-routes`, of
FRR, Quagga, EdgeOS, Cisco IOS and Arista.
Ask: `vtysh -c 'show bgp ipv4 unicast'` on the router.
Facts: Route in the table `bgp` (`export:PEER` for advertised-routes, `received:PEER` for received-routes) and
RouteListing. A route is active when it is best or an equal-cost companion of the best (`=`, Cisco `m`, Arista `E`/`e`)
and has no `r` (RIB-failure: the router did not install it); its next hop is, where the path is valid (`*`, `r`).
Not read: metric, local preference, weight.

Format: FRR bgpd/bgp_route.c route_vty_out and its header BGP_SHOW_SCODE_HEADER.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable, whole
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.address import canonical_address, canonical_prefix
from kubereach.model.fact import NextHop, Route, RouteListing

_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,40})"
_STATUS = r"([sdhu*>=irSRxmbfacEeNVIwLln# ]{0,8}?)"
_ROW = (
    rf"{_STATUS}\s*(?:({_ADDRESS}(?:/\d{{1,3}})?)\s+)?({_ADDRESS}|-)(?:%\w{{1,16}})?(?:@\d{{1,6}})?<?\s+"
    r"([\d\s{},()?ie-]{1,400})$"
)
_NETWORK = rf"{_STATUS}\s*({_ADDRESS}/\d{{1,3}})\s*$"
_HEADER = r"\s*Network\s+Next[ -]?Hop\s+Metric"
_FURNITURE = (
    r"\s*(?:BGP (?:table version|routing table information|local router)|Router identifier|Default local pref"
    r"|Status codes|Nexthop codes|Origin codes|RPKI validation|Path source|AS Path Attributes"
    r"|[nxmbfacdeirsSRL] [a-z-]{4,}[,\s]|i internal,|r RIB-failure|x best-external|n - network|a - aggregate"
    r"|Displayed\s+\d|Total number of prefixes|Instance \S{1,40}:|For address family|Route Distinguisher: "
    r"|(?:% |Default )?BGP instance not found)"
)

COMMANDS = (
    r"\bsh(?:ow)?\s+(?:ip\s+)?bgp(?:\s+(?:vrf \S+|(?:vpnv|ipv)[46]|unicast|all|wide|longer-prefixes))*['\"]?\s*$",
    r"\bsh(?:ow)?\s+(?:ip\s+)?bgp\b.{0,40}\bneighbou?rs?\s+[\w.:]{2,60}\s+(?:advertised-|received-)?routes",
    r"\bsh(?:ow)?\s+(?:ip\s+)?bgp\b.{0,30}\s[\d.:a-fA-F]+/\d+\s+longer",
)
SIGNATURES = (
    _HEADER,
    r"BGP table version is \d{1,10}, local router ID is \d",
    rf"[*sdhr][>=idhrSs* ]{{0,4}}\s*(?:{_ADDRESS}(?:/\d{{1,3}})?\s+)?{_ADDRESS}\s+(?:\d{{1,10}}\s+)+[ie?]\s*$",
)
ASKS = (
    Ask(
        command="vtysh -c 'show bgp ipv4 unicast'",
        where="router",
        privilege="router",
        gives="every path the router was offered for the service's address, and which it chose",
    ),
)


class _Row(Struct):
    """A path on its way to a fact; `end` is exclusive."""

    start: int
    end: int
    status: str
    prefix: str
    hop: str
    path: str


def read(capture: Capture) -> Reading:
    """The paths of a BGP table; an empty Network repeats the one above."""
    rows: list[_Row] = []
    unread: list[int] = []
    prefix, pending, status = "", -1, ""
    header = end = -1
    for index, line in enumerate(readable(capture.lines)):
        row = re.match(_ROW, line.rstrip())
        network = _network(row[2]) if row and row[2] else prefix
        if row and network:
            waiting = pending >= 0 and not row[2]
            rows.append(
                _Row(pending if waiting else index, index + 1, row[1] or status, network, row[3], _path(row[4]))
            )
            prefix, pending, status = network, -1, ""
            continue
        if pending >= 0:
            unread.append(pending)
        pending = -1
        if alone := re.match(_NETWORK, line):  # a long prefix stands on a line of its own
            prefix, pending, status = canonical_prefix(alone[2]) or "", index, alone[1]
        elif re.match(_HEADER, line):
            header = index if header < 0 else header
        elif re.match(r"\s*(?:Displayed\s+\d|Total number of prefixes|% Network not in table|No BGP prefixes)", line):
            end = index
        elif line.strip() and not re.match(_FURNITURE, line):
            unread.append(index)
    if pending >= 0:
        unread.append(pending)
    facts: list[Route | RouteListing] = [_route(capture, row) for row in rows]
    if header >= 0 or (end >= 0 and capture.command):
        facts.append(_listing(capture, max(header, 0), rows, end, unread))
    return Reading(facts=tuple(facts), unread=spans(unread))


def _network(text: str) -> str:
    """The prefix in the Network column; IOS leaves the length of a classful network out."""
    if "/" in text or ":" in text:
        return canonical_prefix(text) or ""
    first = int(text.partition(".")[0])
    length = 0 if text == "0.0.0.0" else 8 if first < 128 else 16 if first < 192 else 24
    return canonical_prefix(f"{text}/{length}") or ""


def _path(tail: str) -> str:
    """The AS path behind Metric, LocPrf and Weight: no AS is 0, and weights are 0 or 32768 unless someone set them."""
    words = tail.split()
    if words and words[-1] in {"i", "e", "?"}:
        words.pop()
    weights = [position for position, word in enumerate(words) if word in {"0", "32768"}]
    return " ".join(words[weights[-1] + 1 :] if weights else words)


def _table(command: str) -> tuple[str, str]:
    """Table and peer, from a neighbour's `… routes`."""
    match = re.search(r"neighbou?rs?\s+([\w.:]{2,60})\s+(advertised-|received-)?routes", command)
    if match is None:
        return "bgp", ""
    peer = canonical_address(match[1]) or match[1]
    return {"advertised-": f"export:{peer}", "received-": f"received:{peer}"}.get(match[2] or "", "bgp"), peer


def _route(capture: Capture, row: _Row) -> Route:
    table, peer = _table(capture.command)
    hop = canonical_address(row.hop)
    own = hop in {None, "0.0.0.0", "::"}
    return Route(
        origin=capture.origin(row.start, row.end),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        prefix=row.prefix,
        next_hops=() if own else (NextHop(via=hop or "", active="*" in row.status or "r" in row.status),),
        protocol="local" if own and not row.path else "bgp",
        active=any(flag in row.status for flag in ">=mEe") and "r" not in row.status,  # r: not in the RIB
        table=table,
        learned_from="" if table.startswith("export:") else peer,
        as_path=row.path,
    )


def _listing(capture: Capture, header: int, rows: list[_Row], end: int, unread: list[int]) -> RouteListing:
    """Complete when the count at the end was seen, or the command is known and no row was lost."""
    last = max(end + 1, rows[-1].end if rows else header + 1)
    kept = whole(capture.lines, unread, header, last if rows else len(capture.lines))
    table, peer = _table(capture.command)
    scope = re.search(r"\s([0-9A-Fa-f.:]{2,45}/\d{1,3})(?:\s|$)", capture.command)
    return RouteListing(
        origin=capture.origin(header, last),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        table=table,
        prefix=(canonical_prefix(scope[1]) or "") if scope else "",
        complete=kept and bool(capture.command) and not (peer and table == "bgp"),
    )
