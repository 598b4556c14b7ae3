"""Zebra's routes.

Reads: `show ip route` and `show ipv6 route` of FRR, Quagga, VyOS and EdgeOS, the entry that `show ip route ADDRESS`
prints, and FRR's JSON form.
Ask: `vtysh -c 'show ip route'` on the router.
Facts: Route with all its equal-cost legs, RouteListing.
Not read: metrics, tags, next-hop group numbers, uptimes.

Format: FRR zebra/zebra_vty.c vty_show_ip_route, lib/route_types.pl; EdgeOS prints its flags apart from the code.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import DecodeError, Struct, field
from msgspec.json import decode
from msgspec.structs import replace

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable, whole
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.vrf import table_of, vrf_of
from kubereach.model.address import canonical_address, canonical_prefix
from kubereach.model.fact import NextHop, Route, RouteListing

_PREFIX = r"(?:\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}|[0-9A-Fa-f:.]{2,45}/\d{1,3})"
_ROW = rf"([A-Za-z])(?:[A-Za-z]?[>*qrbto= ]{{1,8}}| {{1,6}}[A-Z]{{0,2}} {{0,6}}[>*= ]{{0,4}})\s*({_PREFIX})\s+(.*)$"
_LEG = r"\s*([>*= ]{0,6})\s*((?:via |is directly connected|directly connected|unreachable|\[\d).*)$"
_REST = (
    r"(?:\[(\d{1,3})/\d{1,10}\]\s*)?(?:\(.{0,24}\)\s*)?(?:nhid \d{1,10}\s+)?(?:is )?(?:"
    r"via ([0-9A-Fa-f.:]{2,45})(?: \(vrf \S{1,32}\))?|(directly connected)|(unreachable|blackhole|reject)"
    r"(?: \(([\w -]{1,24})\))?)(?:,? ([\w.@-]{1,32})(?=,|\s|$))?(.{0,200})$"
)
_FURNITURE = (
    r"\s*(?:Codes: |[A-Za-z>*~] - [a-zA-Z]|VRF \S{1,40}:|IPv[46] (?:unicast )?(?:VRF|Routing)|IP Route Table for VRF"
    r"|Gateway of last resort|Routing entry for |Known via |Last update |Time:|t - trapped|% Network not in table)"
)

COMMANDS = (r"\bsh(?:ow)?\s+(?:ip|ipv6)\s+ro(?:u(?:te?)?)?\b(?!.*\bsummary\b)",)
SIGNATURES = (
    r"Codes: K - kernel",
    rf"[KCLSROIBENTvVAFf][>*]{{1,2}}[*rqbto ]?\s*{_PREFIX}\s+(?:\[\d{{1,3}}/\d{{1,10}}\]|is directly)",
    rf"[KCLSROIB]\s{{1,6}}\*?>\s+{_PREFIX}\s+(?:\[\d{{1,3}}/\d{{1,10}}\]|is directly)",
    r"Routing entry for [0-9A-Fa-f.:]{2,45}/\d",
)
ASKS = (
    Ask(
        command="vtysh -c 'show ip route'",
        where="router",
        privilege="router",
        gives="the route the router uses for the service's address, with every equal-cost leg",
    ),
)

_PROTOCOLS = {"K": "kernel", "C": "connected", "L": "local", "S": "static", "R": "rip", "O": "ospf", "B": "bgp"}
_NAMES = {"kernel", "connected", "static", "rip", "ospf", "bgp", "local"}


class _Row(Struct, kw_only=True):
    """A route on its way to a fact; `end` is exclusive."""

    start: int
    end: int
    prefix: str
    protocol: str
    active: bool
    kind: str = "unicast"
    distance: int | None = None
    table: str = "main"
    hops: list[NextHop] = field(default_factory=list)


def read(capture: Capture) -> Reading:
    """The routes of a zebra table."""
    if any(line.lstrip().startswith("{") for line in capture.lines[:3]):
        return _json(capture)
    rows: list[_Row] = []
    unread: list[int] = []
    current: _Row | None = None
    seen = -1
    vrf = vrf_of(capture.command)
    shown = [] if re.search(r"\bvrf all\b", capture.command) else [vrf]
    ours = any(re.match(r"\s+> - selected|[A-Za-z]\s*\*?>", line) for line in readable(capture.lines))
    for index, line in enumerate(readable(capture.lines)):
        if re.match(_FURNITURE, line):
            seen = index if seen < 0 else seen
            if named := re.match(r"(?:IP Route Table for )?VRF \"?([\w.-]{1,40})\"?:?\s*$", line):
                vrf = table_of(named[1])
                shown.append(vrf)
            current = _entry(line, index, rows, current)
            continue
        row = _start(line, index) if ours or line[1:2] == ">" else None  # IOS prints its codes alone
        if row is not None:
            row.table = vrf
            rows.append(row)
            current = row
        elif current is not None and _leg(current, line):
            current.end = index + 1
        elif line.strip():
            unread.append(index)
            current = None
    rows = [row for row in rows if row.prefix]
    facts: list[Route | RouteListing] = [_route(capture, row) for row in rows]
    if rows or any(re.match(r"% Network not in table", line) for line in capture.lines):
        listing = _listing(capture, max(seen, 0), rows, unread)
        facts += [replace(listing, table=table) for table in dict.fromkeys(shown)]
    return Reading(facts=tuple(facts), unread=spans(unread))


def _start(line: str, index: int) -> _Row | None:
    """A row with its code, flags and first leg."""
    match = re.match(_ROW, line)
    prefix = canonical_prefix(match[2]) if match else None
    if match is None or prefix is None:
        return None
    flags = line[1 : match.start(2)]
    row = _Row(
        start=index,
        end=index + 1,
        prefix=prefix,
        protocol=_PROTOCOLS.get(match[1], "unknown"),
        active="*" in flags,
    )
    return row if _rest(row, match[3]) else None


def _rest(row: _Row, text: str) -> bool:
    """Takes `[20/0] via 192.0.2.43, eth0, weight 1, 00:26:12` into `row`."""
    match = re.match(_REST, text.strip())
    if match is None:
        return False
    distance, via, _, dead, dead_kind, interface, tail = match.groups()
    if distance is not None:
        row.distance = int(distance)
    if dead:
        row.kind = "blackhole" if "blackhole" in (dead, dead_kind) else "unreachable"
        return True
    if interface and re.match(r"(?:weight|inactive|recursive|[\dwdhms:]{5,12}$)", interface):
        tail, interface = f" {interface}{tail}", ""
    active = "inactive" not in tail
    if "recursive" not in tail:  # the legs it resolves to follow
        row.hops.append(NextHop(via=canonical_address(via or "") or "", interface=interface or "", active=active))
    return True


def _leg(row: _Row, line: str) -> bool:
    """Takes a further leg, or the leg of a `Routing entry`, into `row`."""
    leg = re.match(_LEG, line) if line[:1].isspace() else None
    if leg:
        row.active = row.active or "*" in leg[1]
        return _rest(row, leg[2])
    entry = re.match(
        r"\s{1,6}(\*?)\s*(?:([0-9A-Fa-f.:]{2,45}), via ([\w.@-]{1,32})|directly connected, ([\w.@-]{1,32}))(.*)", line
    )
    if entry:
        row.hops.append(
            NextHop(
                via=canonical_address(entry[2] or "") or "",
                interface=entry[3] or entry[4],
                active="inactive" not in entry[5],
            )
        )
    return entry is not None


def _entry(line: str, index: int, rows: list[_Row], current: _Row | None) -> _Row | None:
    """The lines of `Routing entry for 10.1.0.0/28` / `Known via "bgp", distance 20, metric 0, best`."""
    if match := re.match(r"Routing entry for ([0-9A-Fa-f.:/]{2,50})", line):
        row = _Row(
            start=index, end=index + 1, prefix=canonical_prefix(match[1]) or "", protocol="unknown", active=False
        )
        rows.append(row)
        return row
    if current is not None and (
        match := re.match(r'\s*Known via "(\w{1,16})[^"]{0,16}"(?:, distance (\d{1,3}))?(.*)', line)
    ):
        current.protocol = match[1] if match[1] in _NAMES else "unknown"
        current.distance = int(match[2]) if match[2] else None
        current.active = "best" in match[3]
        current.end = index + 1
    return current if re.match(r"\s+(?:Known via|Last update)", line) else None


def _route(capture: Capture, row: _Row) -> Route:
    return Route(
        origin=capture.origin(row.start, row.end),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        prefix=row.prefix,
        next_hops=tuple(row.hops),
        protocol=row.protocol,
        kind=row.kind,
        active=row.active,
        distance=row.distance,
        table=row.table,
    )


def _listing(capture: Capture, start: int, rows: list[_Row], unread: list[int]) -> RouteListing:
    last = max((row.end for row in rows), default=start + 1)
    kept = whole(capture.lines, unread, start, last if rows else len(capture.lines))
    prefix, protocol, understood = _scope(capture.command)
    return RouteListing(
        origin=capture.origin(start, last),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        prefix=prefix,
        protocol=protocol,
        complete=bool(capture.command) and understood and kept,
    )


def _scope(command: str) -> tuple[str, str, bool]:
    """Prefix, protocol and whether the command's filter was understood."""
    command = re.sub(r"\bvrf[ =][\w.-]{1,40}", "", command)
    rest = re.split(r"\bro(?:u(?:te?)?)?\b", command, maxsplit=1)[-1].replace("json", " ").strip(" '\"")
    if not rest:
        return "", "", True
    if rest in _NAMES:
        return "", rest, True
    match = re.match(r"([0-9A-Fa-f.:]{2,45}(?:/\d{1,3})?)(\s+longer-prefixes)?$", rest)
    prefix = canonical_prefix(match[1]) or "" if match else ""
    return prefix, "", bool(match and (match[2] or prefix.endswith(("/32", "/128"))))


def _json(capture: Capture) -> Reading:
    """`show ip route json`: an object of prefixes, each a list of routes."""
    try:
        data = decode("\n".join(capture.lines))
    except (DecodeError, UnicodeError, RecursionError):
        data = None
    facts: list[Route | RouteListing] = []
    for prefix, entries in data.items() if isinstance(data, dict) else ():
        canonical = canonical_prefix(str(prefix))
        usable = entries if isinstance(entries, list) and canonical else []
        facts.extend(_json_route(capture, canonical or "", entry) for entry in usable if isinstance(entry, dict))
    if not facts and data != {}:
        return Reading(unread=((0, len(capture.lines)),))
    facts.append(_listing(capture, 0, [], []))
    return Reading(facts=tuple(facts))


def _json_route(capture: Capture, prefix: str, entry: dict[str, Any]) -> Route:
    legs = entry.get("nexthops")
    hops = [leg for leg in legs if isinstance(leg, dict)] if isinstance(legs, list) else []
    protocol = str(entry.get("protocol", ""))
    distance = entry.get("distance")
    return Route(
        origin=capture.origin(),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        prefix=prefix,
        next_hops=tuple(
            NextHop(
                via=canonical_address(str(hop.get("ip", ""))) or "",
                interface=str(hop.get("interfaceName", "")),
                active=bool(hop.get("active")),
            )
            for hop in hops
            if not (hop.get("blackhole") or hop.get("unreachable") or hop.get("recursive"))
        ),
        protocol=protocol if protocol in _NAMES else "unknown",
        kind="blackhole" if any(hop.get("blackhole") or hop.get("unreachable") for hop in hops) else "unicast",
        active=bool(entry.get("selected") and entry.get("installed")),
        distance=distance if isinstance(distance, int) else None,
    )
