"""The kernel's routes: `ip route`.

Reads
    `ip [-4|-6] [-d] route [show]` of any table, with equal-cost legs in lines of their own or in one line (-o), the
    types unicast, local, blackhole, unreachable and prohibit, and the protocols of every routing daemon.
Ask
    ip route; ip route show table local; on the node or the client.
Facts
    One Route per line (its legs included) and one RouteListing per print, complete when the command is known and has
    no filter and no pipe. A connected route (proto kernel, scope link) has the protocol connected; none shown is boot,
    which is what iproute2 leaves out; 80 is Calico's felix. The metric stands in `distance`: lower wins.
Not read
    Broadcast, multicast, anycast and throw entries give no fact; attributes of transport (mtu, window, …).
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, is_piped, words
from kubereach.model.address import canonical_address, canonical_prefix, prefix_length
from kubereach.model.fact import AnyFact, NextHop, Route, RouteListing

COMMANDS = (
    (
        r"(?:^|[\s/])ip(?:\s+-(?!j)\S{1,10}(?:\s+inet6?)?){0,5}\s+r(?:o|ou|out|oute)?"
        r"(?:\s*$|\s*\||\s+(?!(?:g|ge|get|add|del|delete|replace|change|append|flush|save|restore|help|test)\b)\S)"
    ),
)
SIGNATURES = (
    r"default via [0-9a-fA-F.:]{2,45} dev \S{1,20}\b(?!.{0,200}\buid \d)",
    (
        r"(?:(?:local|broadcast|unicast|blackhole|unreachable|prohibit) )?[0-9a-fA-F.:]{2,45}/\d{1,3} "
        r"(?:nhid \d{1,9} )?(?:via \S{2,45} )?(?:dev \S{1,20}|proto \S{1,12})\b"
    ),
    r"[0-9a-fA-F.:]{3,45} (?:nhid \d{1,9} )?(?:via \S{2,45} )?dev \S{1,20} .{0,60}(?:proto|scope|metric) \S",
    (
        r"(?:local|broadcast|blackhole|unreachable|"
        r"prohibit) [0-9a-fA-F.:]{3,45} (?:dev \S{1,20}\s{1,2})?(?:table \S{1,16} )?proto \S"
    ),
    r"\s{1,8}nexthop via [0-9a-fA-F.:]{2,45} dev \S",
)
ASKS = (
    Ask(command="ip route", where="node", gives="where the node sends the replies, and the pods' blocks"),
    Ask(command="ip route show table local", where="node", gives="which addresses the node's kernel takes for its own"),
)

_KINDS = frozenset(["unicast", "local", "blackhole", "unreachable", "prohibit"])
_TYPES = _KINDS | {"broadcast", "multicast", "anycast", "throw", "nat"}
_PROTOCOLS = {
    "kernel": "kernel", "boot": "boot", "static": "static", "bird": "bird", "dhcp": "dhcp", "bgp": "bgp",
    "ospf": "ospf", "rip": "rip", "2": "kernel", "3": "boot", "4": "static", "12": "bird", "16": "dhcp",
    "80": "felix", "186": "bgp", "188": "ospf", "189": "rip", "196": "static",
}  # fmt: skip
_TABLES = {"253": "default", "254": "main", "255": "local"}
_OPENING = frozenset(["via", "dev", "proto", "nhid", "scope", "src", "metric", "table", "nexthop", "encap", "tos"])
_FLAGS = frozenset(["onlink", "linkdown", "dead", "pervasive", "offload", "trap", "rt_offload", "notify", "unresolved"])


class _Entry(Struct):
    """One route as far as it has been read, with the lines it stands in."""

    first: int
    last: int
    kind: str
    prefix: str
    values: dict[str, str]
    legs: list[NextHop] = field(default_factory=list)


class _Query(Struct, frozen=True):
    """What the command asked for."""

    table: str = "main"
    prefix: str = ""
    protocol: str = ""
    device: str = ""
    six: bool = False
    known: bool = False
    closes: bool = False


def read(capture: Capture) -> Reading:
    """The routes, what the print covers, and the lines that are no routes."""
    query = _query(capture.command)
    entries: list[_Entry] = []
    unread: list[int] = []
    answered = gap = behind = False
    for index, line in enumerate(capture.lines):
        line = line.rstrip().replace("\\", " ")
        if entry := _entry(index, line, six=query.six):
            if query.device:
                entry.values.setdefault("dev", query.device)
            entries.append(entry)
            gap = gap or behind
        elif entries and (leg := re.match(r"\s+nexthop (\S.{0,400})$", line)):
            entries[-1].legs.append(_leg(_values(leg[1].split())))
            entries[-1].last = index
        elif re.match(r"(?:Error: .{0,20}FIB table|Dump terminated)", line):
            answered = True
        elif not is_noise(line):
            unread.append(index)
            behind = True
            gap = gap or not entries or re.match(r"\s*(?:\.{3}|…|\[\.{3})", line) is not None
    facts: list[AnyFact] = [_route(capture, query, entry) for entry in entries if entry.kind in _KINDS]
    # A command without any output is as likely advice as an empty table.
    if entries or (query.known and answered):
        facts.append(_listing(capture, query, entries, gap=gap))
    return Reading(tuple(facts), spans(unread))


def _query(command: str) -> _Query:
    """What `ip route …` in `command` covers; the default when there is no such command."""
    found = words(command)
    start = next((i for i, word in enumerate(found) if re.fullmatch(r"r(?:o|ou|out|oute)?", word)), None)
    if start is None or not any(word.endswith("ip") for word in found[:start]):
        return _Query()
    rest = [word for word in found[start + 1 :] if word not in {"show", "sh", "s", "list", "ls", "l", "lst"}]
    table, prefix, protocol, device = "main", "", "", ""
    whole, root = True, False
    while rest:
        word = rest.pop(0)
        if word in {"table", "tab", "t"} and rest:
            table = rest.pop(0)
        elif word in {"proto", "protocol"} and rest:
            protocol = rest.pop(0)
        elif word == "dev" and rest:
            device, whole = rest.pop(0), False
        elif word in {"root", "to", "exact", "match"}:
            root, whole = word == "root", whole and word != "match"
        elif (found_prefix := canonical_prefix(word)) and word != "all":
            prefix = found_prefix
        else:
            whole = False
    # `show PREFIX` lists exactly that prefix; only `root` lists what lies inside.
    single = prefix_length(prefix) == (128 if ":" in prefix else 32)
    closes = whole and not is_piped(command) and (not prefix or root or single)
    six = "-6" in found[:start] or "inet6" in found[:start]
    protocol = _PROTOCOLS.get(protocol, "unknown") if protocol else ""
    prefix = prefix or ("::/0" if six else "")
    return _Query(_TABLES.get(table, table), prefix, protocol, device, six, known=True, closes=closes)


def _entry(index: int, line: str, *, six: bool) -> _Entry | None:
    """`[TYPE] PREFIX KEY VALUE … [nexthop …]…`; None for anything else, an answer of `ip route get` included."""
    match = re.match(r"(?:([a-z]{3,11}) )?(default|[0-9a-fA-F.:]{2,45}(?:/\d{1,3})?)(?:\s(.{0,2000}))?$", line)
    if match is None or (match[1] and match[1] not in _TYPES):
        return None
    tokens = (match[3] or "").split()
    prefix = canonical_prefix(match[2])
    if prefix is None or not _is_route(tokens, typed=bool(match[1]), length="/" in match[2] or match[2] == "default"):
        return None
    head, *legs = _split(tokens)
    values = _values(head)
    if match[2] == "default" and (six or ":" in values.get("via", "") or "pref" in values):
        prefix = "::/0"
    return _Entry(index, index, match[1] or "unicast", prefix, values, [_leg(_values(leg)) for leg in legs])


def _is_route(tokens: list[str], *, typed: bool, length: bool) -> bool:
    """Whether the words after the prefix are a route's: `uid` and `from` belong to `ip route get`."""
    if "uid" in tokens or "from" in tokens[:1] or (not tokens and not typed):
        return False
    if tokens and tokens[0] not in _OPENING:
        return False
    listed = any(word in tokens for word in ("proto", "scope", "metric", "nhid", "onlink"))
    return length or listed or "src" not in tokens


def _split(tokens: list[str]) -> list[list[str]]:
    """The words before and after each `nexthop`."""
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == "nexthop":  # noqa: S105  a keyword of iproute2
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _values(tokens: list[str]) -> dict[str, str]:
    """The values by their keywords; a flag has none."""
    values: dict[str, str] = {}
    rest = iter(tokens)
    for token in rest:
        if token in _FLAGS:
            values.setdefault(token, "")
            continue
        value = next(rest, "")
        if value in {"inet", "inet6", "lock"}:
            value = next(rest, "")
        values.setdefault(token, value)
    return values


def _leg(values: dict[str, str]) -> NextHop:
    via = canonical_address(values.get("via", "")) or ""
    return NextHop(via=via, interface=values.get("dev", ""), active=not ({"dead", "linkdown"} & values.keys()))


def _route(capture: Capture, query: _Query, entry: _Entry) -> Route:
    values, legs = entry.values, tuple(entry.legs)
    if not legs and (values.get("via") or (values.get("dev") and entry.kind == "unicast")):
        legs = (_leg(values),)
    elif not legs and entry.kind == "local" and values.get("dev"):
        legs = (NextHop(interface=values["dev"]),)
    # iproute2 leaves out a column that the command filters by.
    protocol = _PROTOCOLS.get(values.get("proto", query.protocol or "boot"), "unknown")
    if protocol == "kernel" and entry.kind == "unicast" and not values.get("via"):
        protocol = "connected"
    table = values.get("table", query.table if query.table != "all" else "main")
    metric = values.get("metric", "")
    return Route(
        origin=capture.origin(entry.first, entry.last + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        prefix=entry.prefix,
        next_hops=legs,
        protocol=protocol,
        kind=entry.kind,
        table=_TABLES.get(table, table),
        distance=int(metric) if metric.isdecimal() and len(metric) < 11 else None,
        preferred_source=canonical_address(values.get("src", "")) or "",
    )


def _listing(capture: Capture, query: _Query, entries: list[_Entry], *, gap: bool) -> RouteListing:
    first = entries[0].first if entries else 0
    last = entries[-1].last + 1 if entries else len(capture.lines)
    return RouteListing(
        origin=capture.origin(first, last),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        table=query.table,
        prefix=query.prefix,
        protocol=query.protocol,
        complete=query.known and query.closes and not gap,
    )
