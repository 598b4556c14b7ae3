"""Route tables of the large vendors.

Reads: `show ip route` of Cisco IOS and NX-OS and Arista EOS, `show route` of Junos.
Ask: `show ip route ADDRESS` (IOS, NX-OS, EOS), `show route ADDRESS` (Junos).
Facts: Route with its legs, RouteListing.
Not read: metrics, tags, communities, uptimes.

Format: the vendors' command references; IOS prints no length below a `… is subnetted` line, which gives it.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable, whole
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.vrf import table_of, vrf_of
from kubereach.model.address import canonical_address, canonical_prefix
from kubereach.model.fact import NextHop, Route, RouteListing

_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,40})"
_CODED = (
    rf"\s{{0,2}}([A-Za-z])(?:\*|\s|[A-Z][A-Z0-9]?|[EI]\d?)\s{{0,8}}(?:[EIL][A12]?\s{{1,8}})?"
    rf"({_ADDRESS}(?:/\d{{1,3}})?)\s+(.{{1,200}})$"
)
_REST = (
    rf"(?:\[(\d{{1,3}})/\d{{1,10}}\]\s*)?(?:via ({_ADDRESS})(?:%\S{{1,20}})?|is (directly connected)|is a summary)"
    r"(?:, (?:\d[\w:]{3,12}, )?([A-Z][\w/.-]{1,30}))?"
)
_MORE = rf"\s{{4,}}(?:\[\d{{1,3}}/\d{{1,10}}\]\s*)?via ({_ADDRESS})(?:, (?:\d[\w:]{{3,12}}, )?([A-Z][\w/.-]{{1,30}}))?"
_NXOS = rf"({_ADDRESS}/\d{{1,3}}), ubest/mbest: \d{{1,3}}/\d{{1,3}}(?:, attached)?\s*$"
_NXOS_LEG = (
    rf"\s{{2,}}(\*?)via ({_ADDRESS})(?:%\S{{1,20}})?,(?: ([A-Z][\w/.-]{{1,30}}),)? \[(\d{{1,3}})/\d{{1,10}}\],"
    r" \S{2,14}, ([a-z]{3,10})"
)
_JUNOS = rf"({_ADDRESS}/\d{{1,3}})?\s+([*+-]{{0,2}})\[(\w{{2,12}})/(\d{{1,3}})\](.{{0,120}})$"
_JUNOS_LEG = rf"\s{{4,}}(>?)\s{{0,4}}(?:to ({_ADDRESS}) )?via (\S{{1,32}})"
_FURNITURE = (
    r"\s*(?:Codes: |[A-Za-z*+>-][\w*]? - [A-Za-z]|Gateway of last resort|.{3,40}is (?:variably )?subnetted|VRF: "
    r"|IP Route Table for VRF|'\*{1,2}' denotes|'\[x/y\]' denotes|'%<string>' in|inet6?\.\d: |\+ = Active"
    r"|AS path: |Limit/Threshold|% (?:Network|Subnet) not in table|Route not found|Routing Table: )"
)

COMMANDS = (r"\bsh(?:ow)?\s+(?:ip|ipv6)\s+ro(?:u(?:te?)?)?\b(?!.*\bsummary\b)", r"^show\s+route(?:\s|$)")
SIGNATURES = (
    rf"{_NXOS}",
    rf"{_ADDRESS}/\d{{1,3}}\s+[*+-]{{1,2}}\[(?:BGP|Static|Direct|Local|OSPF|IS-IS|Access-internal)/\d{{1,3}}\]",
    r"inet6?\.0: \d{1,9} destinations, \d{1,9} routes",
    rf"[BCLSORD]\*?\s{{2,8}}(?:[EI]{{1,2}}\d?\s{{1,6}})?{_ADDRESS}(?:/\d{{1,3}})?\s+(?:\[\d{{1,3}}/\d+\] via|is dir)",
    rf" [BCLSORD] [EI]?\s{{1,10}}{_ADDRESS}/\d{{1,3}}\s+\[\d{{1,3}}/\d{{1,10}}\] via",
)
ASKS = (
    Ask(
        command="show ip route ADDRESS",
        where="router",
        privilege="router",
        gives="the route a Cisco or Arista router uses for the service's address",
    ),
    Ask(command="show route ADDRESS", where="router", privilege="router", gives="the same on a Juniper router"),
)

_CODES = {"B": "bgp", "C": "connected", "L": "local", "S": "static", "O": "ospf", "R": "rip"}
_NAMES = {"bgp": "bgp", "direct": "connected", "local": "local", "static": "static", "ospf": "ospf", "rip": "rip"}


class _Row(Struct, kw_only=True):
    """A route on its way to a fact; `end` is exclusive."""

    start: int
    end: int
    prefix: str
    protocol: str = "unknown"
    active: bool = True
    distance: int | None = None
    hops: list[NextHop] = field(default_factory=list)
    family: str = "ios"
    table: str = "main"


def read(capture: Capture) -> Reading:
    """The routes of one table, whichever of the four forms each line has."""
    rows: list[_Row] = []
    unread: list[int] = []
    length = ""
    known = False
    table = vrf_of(capture.command)
    for index, line in enumerate(readable(capture.lines)):
        current = rows[-1] if rows and rows[-1].end == index else None
        fresh = _ios(line, index, length) or _nxos(line, index) or _junos(line, index, current)
        if fresh is not None:
            fresh.table = table
            rows.append(fresh)
        elif current is not None and _leg(current, line):
            current.end = index + 1
        elif re.match(_FURNITURE, line):
            known = True
            if named := re.match(r"(?:Routing Table: |VRF: |IP Route Table for VRF )\"?([\w.-]{1,40})", line):
                table = table_of(named[1])
            subnetted = re.match(r"\s*\d{1,3}(?:\.\d{1,3}){3}(/\d{1,2}) is subnetted", line)
            length = subnetted[1] if subnetted else ("" if "is variably" in line else length)
            if current is not None and line[:1].isspace() and "subnetted" not in line:
                current.end = index + 1
        elif line.strip():
            unread.append(index)
    facts: list[Route | RouteListing] = [_route(capture, row) for row in rows]
    if capture.command and (rows or known):
        facts += [_listing(capture, rows, unread, t) for t in dict.fromkeys(r.table for r in rows) or (table,)]
    return Reading(facts=tuple(facts), unread=spans(unread))


def _ios(line: str, index: int, length: str) -> _Row | None:
    """`B        10.40.0.5/32 [20/0] via 192.168.7.22, 00:20:01`; `S*  0.0.0.0/0 [1/0] via …`."""
    match = re.match(_CODED, line)
    rest = re.match(_REST, match[3]) if match else None
    if match is None or rest is None:
        return None
    text = match[2] if "/" in match[2] else match[2] + length
    prefix = canonical_prefix(text) if "/" in text else None
    if prefix is None:
        return None
    row = _Row(start=index, end=index + 1, prefix=prefix, protocol=_CODES.get(match[1], "unknown"))
    row.distance = int(rest[1]) if rest[1] else None
    if rest[2] or rest[3]:
        row.hops.append(NextHop(via=canonical_address(rest[2] or "") or "", interface=rest[4] or ""))
    return row


def _nxos(line: str, index: int) -> _Row | None:
    """`10.40.0.5/32, ubest/mbest: 1/0`; its legs follow."""
    match = re.match(_NXOS, line)
    prefix = canonical_prefix(match[1]) if match else None
    return _Row(start=index, end=index + 1, prefix=prefix, active=False, family="nxos") if prefix else None


def _junos(line: str, index: int, current: _Row | None) -> _Row | None:
    """`10.40.0.5/32     *[BGP/170] 00:20:01, localpref 100`; a further route to the prefix has none before it."""
    match = re.match(_JUNOS, line)
    above = current.prefix if current is not None and current.family == "junos" else None
    prefix = canonical_prefix(match[1]) if match and match[1] else above
    if match is None or prefix is None:
        return None
    protocol = _NAMES.get(match[3].lower(), "unknown")
    distance = int(match[4])
    return _Row(
        start=index,
        end=index + 1,
        prefix=prefix,
        protocol=protocol,
        active="*" in match[2],
        distance=distance,
        family="junos",
    )


def _leg(row: _Row, line: str) -> bool:
    """Takes a further next hop into `row`."""
    if row.family == "nxos" and (nxos := re.match(_NXOS_LEG, line)):
        row.hops.append(NextHop(via=canonical_address(nxos[2]) or "", interface=nxos[3] or "", active=bool(nxos[1])))
        row.active = row.active or bool(nxos[1])
        row.distance, row.protocol = int(nxos[4]), _NAMES.get(nxos[5], "unknown")
        return True
    if row.family == "junos" and (junos := re.match(_JUNOS_LEG, line)):
        via = canonical_address(junos[2] or "") or ""
        row.hops.append(NextHop(via=via, interface=junos[3], active=bool(junos[1])))
        return True
    if row.family == "ios" and (ios := re.match(_MORE, line)):
        row.hops.append(NextHop(via=canonical_address(ios[1]) or "", interface=ios[2] or ""))
        return True
    return False


def _route(capture: Capture, row: _Row) -> Route:
    return Route(
        origin=capture.origin(row.start, row.end),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        prefix=row.prefix,
        next_hops=tuple(row.hops),
        protocol=row.protocol,
        active=row.active,
        distance=row.distance,
        table=row.table,
    )


def _listing(capture: Capture, rows: list[_Row], unread: list[int], table: str) -> RouteListing:
    """A plain command covers everything; one with arguments other than a host address closes nothing."""
    last = max((row.end for row in rows), default=1)
    asked = re.sub(r"\bvrf \S{1,40}", "", capture.command)
    rest = re.split(r"\bro(?:u(?:te?)?)?\b", asked, maxsplit=1)[-1].strip(" '\"")
    prefix = canonical_prefix(rest) or "" if re.match(r"[0-9A-Fa-f.:/]{2,50}$", rest) else ""
    return RouteListing(
        origin=capture.origin(0, last),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        table=table,
        prefix=prefix,
        complete=(not rest or prefix.endswith(("/32", "/128")))
        and whole(capture.lines, unread, 0, last if rows else len(capture.lines)),
    )
