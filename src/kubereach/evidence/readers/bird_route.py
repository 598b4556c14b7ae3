"""BIRD's routes.

Reads: `show route` with `all`, `export X`, `noexport X`, `protocol X`, `for ADDRESS`, `where …`, of BIRD 1.6 (Calico's:
one line per route) and 2.x (the next hop stands below).
Ask: `birdcl show route all` and `birdcl show route export PEER` in calico-node.
Facts: Route in the table `bird`, or `export:NAME` / `noexport:NAME` for what goes to a peer; RouteListing.
Not read: route attributes other than the AS path and the type.

Format: BIRD nest/rt-show.c (2.x), nest/rt-table.c rt_show_rte (1.6).
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable, whole
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.address import canonical_address, canonical_prefix
from kubereach.model.fact import NextHop, Route, RouteListing

_PREFIX = r"(?:\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}|[0-9A-Fa-f:.]{2,45}/\d{1,3})"
_SOURCE = r"\[(\S{1,120}) [\d:. -]{4,25}(?: from (\S{1,60}))?\]"
_ROW = (
    rf"({_PREFIX})?\s+((?:via|dev|multipath|unicast|blackhole|unreachable|prohibited|prohibit)\b[^\[]{{0,120}}?)\s*"
    rf"{_SOURCE}\s{{0,4}}([*!]{{0,2}})\s{{0,4}}(?:\((\d{{1,5}})(?:/[\d?-]{{1,10}})?\))?\s{{0,4}}"
    r"(?:\[([^\]]{0,200})\])?\s{0,40}$"
)
_LEG = r"\s+(?:via (\S{1,60}) on (\S{1,32})|dev (\S{1,32}))(.*)$"

COMMANDS = (
    r"(?:^|/|\s)birdc(?:l|6|l6)?\b.*\bsh(?:ow)?\s+ro(?:u(?:te?)?)?\b",
    r"^show route\b.*\b(?:export|noexport|all)\b",
)
SIGNATURES = (
    (
        rf"(?:{_PREFIX})?\s+(?:via \S+ on \S+|dev \S+|multipath|unicast|blackhole|unreachable|prohibit)[^\[]{{0,80}}"
        r"\[\S+ [\d:. -]{4,25}(?: from \S+)?\]\s*[*!]{0,2}\s*\("
    ),
    r"Table master[46]?:",
)
ASKS = (
    Ask(
        command="kubectl exec -n calico-system NODE-POD -c calico-node -- birdcl show route export PEER",
        where="cluster",
        privilege="exec",
        gives="which prefixes a Calico node sends to the router",
    ),
    Ask(
        command="kubectl exec -n calico-system NODE-POD -c calico-node -- birdcl show route all",
        where="cluster",
        privilege="exec",
        gives="every route that a Calico node's BIRD holds, with the peer it came from",
    ),
)


class _Row(Struct, kw_only=True):
    """A route on its way to a fact; `end` is exclusive."""

    start: int
    end: int
    prefix: str
    kind: str
    source: str
    best: bool
    preference: int | None
    tail: str
    hops: list[NextHop] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    table: str = ""


def read(capture: Capture) -> Reading:
    """The routes of a BIRD table or of what it exports to one protocol."""
    rows: list[_Row] = []
    unread: list[int] = []
    table, prefix, ended = "", "", False
    current: _Row | None = None
    for index, line in enumerate(readable(capture.lines)):
        match = re.match(_ROW, line)
        if match and (match[1] or prefix):
            prefix = match[1] or prefix
            current = _start(index, match, prefix, table)
            rows.append(current)
        elif current is not None and re.match(r"\s+\S", line) and _detail(current, line):
            current.end = index + 1
        elif header := re.match(r"Table (\S{1,64}):\s*$", line):
            table = header[1]
        elif re.match(r"(?:No valid tables|Network not (?:found|in table)|\d{1,9} of \d{1,9} routes for)", line):
            ended = True
        elif line.strip() and not re.match(r"(?:BIRD v?\d\S{0,40} ready\.|Access restricted|bird>\s*$)", line):
            unread.append(index)
            current = None
    rows = [row for row in rows if canonical_prefix(row.prefix)]
    facts: list[Route | RouteListing] = [_route(capture, row) for row in rows]
    if rows or table or ended or any(re.match(r"BIRD v?\d\S{0,40} ready\.", line) for line in capture.lines[:3]):
        facts.append(_listing(capture, rows, unread))
    return Reading(facts=tuple(facts), unread=spans(unread))


def _start(index: int, match: re.Match[str], prefix: str, table: str) -> _Row:
    kind = match[2].split()[0]
    row = _Row(
        start=index,
        end=index + 1,
        prefix=prefix,
        kind={"via": "unicast", "dev": "unicast", "multipath": "unicast", "prohibited": "prohibit"}.get(kind, kind),
        source=match[3],
        best="*" in match[5],
        preference=int(match[6]) if match[6] else None,
        tail=(match[7] or "").strip(),
        table=table,
    )
    leg = re.match(_LEG, " " + match[2])
    if leg:
        row.hops.append(_hop(leg))
    return row


def _hop(leg: re.Match[str]) -> NextHop:
    via = canonical_address(leg[1]) if leg[1] else None
    return NextHop(via=via or "", interface=leg[2] or leg[3] or "", active="dead" not in leg[4].split())


def _detail(row: _Row, line: str) -> bool:
    """Takes a next hop or an attribute line that stands below a route; False when it is neither."""
    leg = re.match(_LEG, line)
    if leg:
        row.hops.append(_hop(leg))
        return True
    attribute = re.match(r"\s+([A-Za-z][\w.]{0,40}):(?:\s+(.*))?$", line)
    if attribute:
        row.attributes.setdefault(attribute[1], (attribute[2] or "").strip())
    return attribute is not None


def _protocol(row: _Row) -> str:
    """The origin protocol, by the route's type, the protocol's name, or BIRD's default preferences."""
    kind = row.attributes.get("Type", "").partition(" ")[0].lower()
    named = {"static": "static", "kernel": "kernel", "direct": "connected", "device": "connected", "ospf": "ospf"}
    by_type = {"bgp": "bgp", "static": "static", "inherit": "kernel", "device": "connected", "rip": "rip"}
    if kind in by_type or kind.startswith("ospf"):
        return by_type.get(kind, "ospf")
    if re.match(r"(?:Mesh|Global|Node)_", row.source) or re.search(r"(?:^AS|[ie?]$)", row.tail):
        return "bgp"
    stem = row.source.rstrip("0123456789").rstrip("_").lower()
    if stem in named:
        return named[stem]
    by_preference = {100: "bgp", 200: "static", 240: "connected", 10: "kernel", 150: "ospf", 120: "rip"}
    return by_preference.get(row.preference or 0, "unknown")


def _table(command: str, shown: str = "") -> str:
    """`bird`, `export:NAME`, `noexport:NAME`, or `bird:TABLE` for a table other than master."""
    match = re.search(r"\b(export|noexport|preexport)\s+\"?([^\s\"]{1,120})", command)
    if match:
        return f"{match[1]}:{match[2]}"
    return f"bird:{shown}" if shown and not shown.startswith("master") else "bird"


def _route(capture: Capture, row: _Row) -> Route:
    path = row.attributes.get("BGP.as_path", "")
    last = re.match(r"AS(\d{1,10})", row.tail)
    return Route(
        origin=capture.origin(row.start, row.end),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        prefix=canonical_prefix(row.prefix) or row.prefix,
        next_hops=tuple(row.hops),
        protocol=_protocol(row),
        kind=row.kind,
        active=row.best,
        table=_table(capture.command, row.table),
        learned_from=row.source,
        as_path=path or (last[1] if last else ""),
    )


def _listing(capture: Capture, rows: list[_Row], unread: list[int]) -> RouteListing:
    """What the listing covers: a single longest match, a `net ~` filter, one protocol, or everything."""
    prefix, protocol, understood = _scope(capture.command)
    last = max((row.end for row in rows), default=0)
    kept = whole(capture.lines, unread, 0, last if rows else len(capture.lines))
    tables = {row.table for row in rows}
    return RouteListing(
        origin=capture.origin(0, last or min(2, len(capture.lines))),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        table=_table(capture.command, tables.pop() if len(tables) == 1 else ""),
        prefix=prefix,
        protocol=protocol,
        complete=bool(capture.command) and understood and kept,
    )


def _scope(command: str) -> tuple[str, str, bool]:
    """Prefix, protocol and whether the command's filters were all understood."""
    rest = re.split(r"\bro(?:u(?:te?)?)?\b", command, maxsplit=1)[-1]
    rest = re.sub(r"\b(?:(?:no|pre)?export\s+\S+|all|primary)(?=\s|$)", " ", rest).strip(" '\"")
    if not rest:
        return "", "", True
    if match := re.match(r"protocol\s+\"?([^\s\"]+)\"?$", rest):
        return "", match[1], True
    if match := re.match(r"where\s+net\s*~\s*\[?\s*([0-9A-Fa-f.:/]+)(\+?)\s*\]?$", rest):
        prefix = canonical_prefix(match[1]) or ""
        return prefix, "", bool(prefix)
    if match := re.match(r"(for\s+)?([0-9A-Fa-f.:]+(?:/\d{1,3})?)$", rest):
        prefix = canonical_prefix(match[2]) or ""
        return prefix, "", prefix.endswith(("/32", "/128"))
    return "", "", False
