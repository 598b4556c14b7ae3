"""MikroTik routes.

Reads: `/ip route print` of RouterOS v6 and v7, its detail and terse forms, `/routing/route/print`, route lines of an
export, single rows without their header, and what people type from WinBox ("10.1.0.0/28 reachable through bridge").
Ask: `/ip route print detail` on the router; in v7 `/routing/route/print detail` shows filtered routes as well.
Facts: Route, RouteListing. A typed line is paraphrased: its device is the router, its protocol mostly unknown.
Not read: routing rules, filters, and rows of the address family `link`.

Format: RouterOS manual, "IP/Route" (v6) and "IP Routing" (v7).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable, whole
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.routeros import FLAG, Record, is_cut, is_furniture, is_header, records, where_clause
from kubereach.model.address import canonical_address, canonical_prefix
from kubereach.model.fact import NextHop, Route, RouteListing, Trust

_PREFIX = r"(?:\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}|[0-9A-Fa-f:.]{2,45}/\d{1,3})"
_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,40})"
_LINK = r"(?:bridge|ether|eth|vlan|bond|wlan|wifi|sfp|lan|wan|br|pppoe|lo|wg|ovpn|l2tp|ens|enp|eno)[\w.-]{0,20}"
_HOP = rf"(?:{_ADDRESS}(?:%[\w.-]{{1,32}})?|{_LINK})"
_VERB = r"(?:is\s+)?(?:now\s+)?reachable"
_OVER = r"(?:through|via|over|by|at|on|thru|->|=>|→)"

COMMANDS = (
    r"^/?ip[ /]route[ /](?:print|export|check)",
    r"^/?ipv6[ /]route[ /](?:print|export)",
    r"^/?routing[ /]route[ /]print",
    r"^/ip[ /]route\s*$",
)
SIGNATURES = (
    # 1 ADb 10.1.0.0/28 192.0.2.43 20
    rf"\s*(?:\d{{1,6}}\s+)?(?:{FLAG}{{1,5}}\s+){{1,3}}{_PREFIX}\s+(?:{_ADDRESS}\s+)?{_HOP}(?:\s+[\w.-]{{1,32}})?\s+\d{{1,3}}\s*$",
    rf"\s*(?:\d{{1,6}}\s+)?(?:D?A[bscdoCS]{{1,2}}|A\s?S|D\s?b|Db)\s+{_PREFIX}\s+{_HOP}\s*$",
    # dst-address=10.1.0.0/28 … gateway=192.0.2.43
    rf"(?!.*\b(?:chain|action)=).{{0,40}}\bdst-address={_PREFIX}\s.*\b(?:gateway|distance|routing-table)=",
    r"Flags:.*\bA - (?:active|ACTIVE)",
    r"\s*#?\s*DST-ADDRESS\s+(?:PREF-SRC\s+)?(?:G\s+)?GATEWAY",
    # 10.1.0.0/28 reachable through bridge
    rf"\W{{0,6}}{_PREFIX}\s+{_VERB}\s+{_OVER}\s+[\w.:%-]{{1,40}}(?:\s+(?:bgp|static|active|interface))?\s*[.,;]?\s*$",
    rf"\W{{0,6}}{_PREFIX}\s+{_VERB}\s+{_HOP}\s*[.,;]?\s*$",
    rf"\W{{0,6}}{_PREFIX}\s+{_OVER}\s+{_ADDRESS}(?:\s+(?:\(?bgp\)?|static|active|connected)){{0,2}}\s*[.,;]?\s*$",
    rf"\W{{0,6}}{_PREFIX}\s+(?:gateway|gw|next-hop|nexthop|next hop)[:=]?\s+{_HOP}(?:\s+(?:bgp|static))?\s*[.,;]?\s*$",
)
ASKS = (
    Ask(
        command="/ip route print detail where dst-address in ADDRESS",
        where="router",
        privilege="router",
        gives="which next hop the router chose for the service's address, and by which protocol",
    ),
    Ask(command="/ip route print detail", where="router", privilege="router", gives="the router's whole route table"),
)

_PROTOCOLS = {"b": "bgp", "c": "connected", "s": "static", "d": "dhcp", "o": "ospf", "r": "rip", "C": "connected"}
_KINDS = {"blackhole": "blackhole", "unreachable": "unreachable", "prohibit": "prohibit"}


class _Row(Struct, kw_only=True):
    """A route on its way to a fact; later lines of a table may add gateways."""

    start: int
    end: int
    prefix: str
    flags: str = ""
    hops: list[NextHop] = field(default_factory=list)
    table: str = "main"
    distance: int | None = None
    protocol: str = ""
    kind: str = "unicast"
    learned_from: str = ""
    as_path: str = ""
    active: bool | None = None
    typed: bool = False


def read(capture: Capture) -> Reading:
    """The routes of a RouterOS print, or of lines that a person typed from one."""
    lines = readable(capture.lines)
    rows, unread, claimed = _details(lines)
    table_rows, table_unread = _table(lines, claimed)
    rows = sorted(rows + table_rows, key=lambda row: row.start)
    left = sorted(set(unread) & set(table_unread))
    facts: list[Route | RouteListing] = [_route(capture, row) for row in rows]
    listing = _listing(capture, [row for row in rows if not row.typed], left)
    if listing is not None:
        facts.append(listing)
    return Reading(facts=tuple(facts), unread=spans(left))


def _details(lines: Sequence[str]) -> tuple[list[_Row], list[int], set[int]]:
    """The key=value records that are routes, what is unread, and the lines the records took."""
    found, unread = records(lines, "dst-address")
    rows: list[_Row] = []
    claimed: set[int] = set()
    lost = set(unread)
    for record in found:
        row = _from_pairs(record)
        taken = range(record.start, record.end)
        if row is not None:
            rows.append(row)
            claimed.update(taken)
        elif record.comment and not any(record.text):
            claimed.update(taken)
        else:
            lost.update(taken)
    return rows, sorted(lost), claimed


def _from_pairs(record: Record) -> _Row | None:
    """A route from `dst-address=… gateway=…`; None for records of other menus."""
    values = record.values()
    if "chain" in values or "action" in values:
        return None
    prefix = canonical_prefix(values.get("dst-address", ""))
    if (
        values.get("disabled") == "yes"
        or prefix is None
        or not (record.flags or values.keys() & {"gateway", "distance", "type", "blackhole"})
    ):
        return None
    row = _Row(start=record.start, end=record.end, prefix=prefix, flags=record.flags)
    row.hops = _detail_hops(values)
    row.table = values.get("routing-table") or values.get("routing-mark") or "main"
    row.distance = _integer(values.get("distance", ""))
    row.kind = _KINDS.get(values.get("type", ""), "blackhole" if "blackhole" in values else "unicast")
    row.learned_from = values.get("received-from") or values.get("bgp.session") or _belonging(values)
    row.as_path = values.get("bgp-as-path") or values.get("bgp.as-path", "")
    if record.added:
        row.protocol = "static"
    if "bgp-as-path" in values or values.get("belongs-to", "").startswith("bgp"):
        row.protocol = "bgp"
    return row


def _belonging(values: dict[str, str]) -> str:
    """The peer in v7's `belongs-to="bgp-IP-192.0.2.43"`."""
    owner = values.get("belongs-to", "")
    return owner.removeprefix("bgp-IP-") if owner.startswith("bgp-") else ""


def _detail_hops(values: dict[str, str]) -> list[NextHop]:
    """The legs of `gateway`, finished with what `gateway-status` (v6) or `immediate-gw` (v7) says."""
    status: dict[str, tuple[str, bool]] = {}
    for part in values.get("gateway-status", "").split(","):
        words = part.split()
        if len(words) > 1:
            interface = words[-1] if words[-1] not in {"reachable", "unreachable"} else ""
            status[words[0].partition("%")[0]] = (interface, "unreachable" not in words)
    hops: list[NextHop] = []
    immediate = [gateway for gateway in values.get("immediate-gw", "").split(",") if gateway]
    for position, gateway in enumerate(part for part in values.get("gateway", "").split(",") if part):
        hop = _hop(gateway.strip())
        interface, active = status.get(hop.via or hop.interface, (hop.interface, True))
        if position < len(immediate):
            interface = _hop(immediate[position]).interface or interface
        elif "immediate-gw" in values:
            active = False  # v7 leaves it empty when the gateway cannot be resolved
        hops.append(NextHop(via=hop.via, interface=interface or hop.interface, active=active))
    return hops


def _hop(text: str) -> NextHop:
    """`192.0.2.43`, `192.0.2.43%bridge` or `bridge`."""
    via, _, interface = text.strip("()").partition("%")
    address = canonical_address(via)
    return NextHop(via=address, interface=interface) if address else NextHop(interface=via)


def _table(lines: Sequence[str], claimed: set[int]) -> tuple[list[_Row], list[int]]:
    """The rows of a table, headed or not, and typed lines; with the indices of all lines that are neither."""
    rows: list[_Row] = []
    unread: list[int] = []
    header: list[str] = []
    current: _Row | None = None
    for index, line in enumerate(lines):
        if index in claimed or is_furniture(line):
            columns = line.replace("#", " ").replace("Columns:", " ").replace(",", " ").split()
            header = columns if "DST-ADDRESS" in columns else header
            current = None
            continue
        row = _table_row(line, header) or _typed_row(line)
        if row is not None:
            row.start, row.end = index, index + 1
            rows.append(row)
            current = None if row.typed else row
        elif current is not None and re.match(rf"\s{{8,}}{_HOP}\s*$", line):
            current.hops.append(_hop(line.strip()))  # v6 prints the further gateways of a route below the first
            current.end = index + 1
        elif not re.match(r"\s{0,8}(?:\d{1,6}\s+)?(?:[A-Za-z ]{1,6}\s)?;;; |[A-Z ]{1,6}\s+[\w.-]{1,32}\s+link\s", line):
            unread.append(index)
            current = None
    return rows, unread


def _table_row(line: str, header: list[str]) -> _Row | None:
    """A row such as ` 1 ADb  10.1.0.0/28   192.0.2.43   20`; without a header its flags must be plain."""
    match = re.match(rf"\s*(?:\d{{1,6}}\s+)?((?:{FLAG}{{1,6}}\s+){{0,4}})({_PREFIX})(?:\s+(.*))?$", line)
    if match is None or not (match[1].strip() or header):
        return None
    cells = (match[3] or "").split()
    prefix = canonical_prefix(match[2])
    if prefix is None or len(cells) > 9:
        return None
    if not header and not any(re.match(pattern, line) for pattern in SIGNATURES[:2]):
        return None
    row = _Row(start=0, end=0, prefix=prefix, flags="".join(match[1].split()))
    columns = header[header.index("DST-ADDRESS") + 1 :] if "DST-ADDRESS" in header else []
    if columns and len(columns) == len(cells):
        _by_name(row, dict(zip(columns, cells, strict=True)))
    else:
        _by_shape(row, cells)
    return row


def _by_name(row: _Row, cells: dict[str, str]) -> None:
    """The cells of a row that fills every column of the header."""
    row.distance = _integer(cells.get("DISTANCE", cells.get("D", "")))
    row.table = cells.get("ROUTING-TABLE", cells.get("R-TABLE", "main"))
    gateway = _hop(cells["GATEWAY"]) if "GATEWAY" in cells else None
    immediate = _hop(cells.get("IMMEDIATE-GW", ""))
    if gateway is not None:
        row.hops.append(NextHop(via=gateway.via, interface=gateway.interface or immediate.interface))


def _by_shape(row: _Row, cells: list[str]) -> None:
    """The cells of a row with blanks: a preferred source precedes the gateway, a table name follows it."""
    numbers = [position for position, cell in enumerate(cells) if re.match(r"\d{1,3}$", cell)]
    if numbers:
        row.distance = int(cells[numbers[0]])
        cells = cells[: numbers[0]]
    hops = [cell for cell in cells if cell not in {"ip4", "ip6", "reachable", "recursive", "r", "u", "main"}]
    if len(hops) > 1 and canonical_address(hops[0]) and (canonical_address(hops[1]) or "C" in row.flags):
        hops = hops[1:]  # PREF-SRC
    elif len(hops) == 1 and "C" in row.flags and canonical_address(hops[0]):
        hops = []
    if hops:
        row.hops.extend(_hop(part) for part in hops[0].split(",") if part)
    if len(hops) > 1:
        row.table = hops[1]


def _typed_row(line: str) -> _Row | None:
    """`10.1.0.0/28 reachable through bridge` and its like: the whole line is a prefix and a few known words."""
    if len(line) > 200 or not any(re.match(pattern, line) for pattern in SIGNATURES[5:]):
        return None
    words = re.sub(r"[(),;:]+(?=\s|$)|^\W+", " ", line).rstrip(" .\n").split()
    prefix = canonical_prefix(words[0])
    if prefix is None:
        return None
    protocol = next((word.lower() for word in words[1:] if word.lower() in {"bgp", "static", "connected"}), "")
    skip = {"reachable", "is", "now", "active", "interface", "gateway", "gw", "next", "hop", "next-hop", "nexthop"}
    over = {"through", "via", "over", "by", "at", "on", "thru", "->", "=>", "→"}
    hops = [word for word in words[1:] if word.lower() not in skip | over and word.lower() != protocol]
    return _Row(
        start=0,
        end=0,
        prefix=prefix,
        hops=[_hop(word) for word in hops[:1]],
        protocol=protocol,
        typed=True,
        active=True,
    )


def _integer(text: str) -> int | None:
    return int(text) if re.match(r"\d{1,3}$", text) else None


def _protocol(row: _Row) -> str:
    """The origin protocol from the flags; v6 writes S and C large, v7 small."""
    if row.protocol:
        return row.protocol
    for flag in row.flags:
        if flag in _PROTOCOLS:
            return _PROTOCOLS[flag]
    return "static" if "S" in row.flags else "unknown"


def _route(capture: Capture, row: _Row) -> Route:
    kind = row.kind
    if kind == "unicast":
        kind = next(
            (k for f, k in (("B", "blackhole"), ("U", "unreachable"), ("P", "prohibit")) if f in row.flags), kind
        )
    return Route(
        origin=capture.origin(row.start, row.end),
        trust=Trust.MENTIONED if row.typed else capture.trust,
        taken=capture.taken,
        device="router" if row.typed else capture.host or "router",
        prefix=row.prefix,
        next_hops=tuple(row.hops),
        protocol=_protocol(row),
        kind=kind,
        active="A" in row.flags if row.flags else row.active,
        table=row.table,
        learned_from=row.learned_from,
        as_path=row.as_path,
        distance=row.distance,
        paraphrased=row.typed,
    )


def _listing(capture: Capture, rows: list[_Row], unread: list[int]) -> RouteListing | None:
    """What the print covers: a filter that is not understood closes nothing, nor does a print without a header."""
    lines = readable(capture.lines)
    headers = [index for index, line in enumerate(lines) if is_header(line)]
    command = capture.command
    if not headers or not (rows or command):
        return None
    where = where_clause(command)
    prefix, protocol, understood = _scope(where)
    last = max((row.end for row in rows), default=headers[-1] + 1)
    kept = whole(capture.lines, unread, headers[0], last if rows else len(lines)) and not any(map(is_cut, lines))
    known = "print" in command and "export" not in command
    return RouteListing(
        origin=capture.origin(headers[0], last),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host or "router",
        prefix=prefix,
        protocol=protocol,
        complete=known and understood and kept,
    )


def _scope(where: str) -> tuple[str, str, bool]:
    """Prefix, protocol and whether all of a `where` clause was understood."""
    if not where:
        return "", "", True
    match = re.match(r"dst-address\s*(in|=|==)\s*\"?([0-9A-Fa-f.:/]{2,50})\"?\s*$", where)
    if match:
        prefix = canonical_prefix(match[2]) or ""
        host = prefix.endswith(("/32", "/128"))
        return prefix, "", bool(prefix) and (match[1] == "in" or host)
    if where in {"bgp", "static", "connect", "ospf"}:
        return "", "connected" if where == "connect" else where, True
    return "", "", False
