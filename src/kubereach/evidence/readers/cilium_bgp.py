"""Cilium's view of BGP: `cilium bgp peers`, `cilium bgp routes`.

Reads
    The tables of the cilium CLI (with a Node column) and of `cilium-dbg` in an agent (without), available and
    advertised routes, with the cells that repeat left blank.
Ask
    cilium bgp peers; cilium bgp routes advertised ipv4 unicast; with kubectl's access.
Facts
    BgpSession and BgpListing per node; Route in the table `bgp` (available) or `export:PEER` (advertised), and
    RouteListing.
Not read
    Ages and attributes.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, is_piped
from kubereach.model.address import canonical_address, canonical_prefix
from kubereach.model.fact import AnyFact, BgpListing, BgpSession, NextHop, Route, RouteListing

COMMANDS = (r"(?:^|[\s/])cilium(?:-dbg)?\s(?:.*\s)?bgp\s+(?:peers?|routes?)\b",)
SIGNATURES = (
    r"(?:Node\s{2,60})?Local AS\s{2,20}Peer AS\s{2,20}Peer Address\s{2,40}Session\b",
    r"(?:Node\s{2,60})?VRouter\s{2,20}(?:Peer\s{2,40})?Prefix\s{2,40}NextHop\b",
)
ASKS = (
    Ask(command="cilium bgp peers", where="cluster", gives="the BGP sessions of every node that runs Cilium"),
    Ask(
        command="cilium bgp routes advertised ipv4 unicast",
        where="cluster",
        gives="which prefixes each Cilium node sends to which peer",
    ),
)

_STATES = {
    "idle": "Idle",
    "connect": "Connect",
    "active": "Active",
    "open_sent": "OpenSent",
    "opensent": "OpenSent",
    "open_confirm": "OpenConfirm",
    "openconfirm": "OpenConfirm",
    "established": "Established",
}
# Sets of numbers and addresses in a row; the node before them is blank below its first row.
_PEER = (
    r"(\d{1,10})\s+(\d{1,10})\s+(\[?[0-9a-fA-F.:]{3,45}\]?(?::\d{1,5})?)\s+([a-zA-Z_]{4,14})\s+(\S{1,20})"
    r"(?:\s+ipv[46]/\w{3,20}\s+(\d{1,9})\s+(\d{1,9}))?\s*$"
)
_FAMILY = r"\s{3,}(?:ipv[46]|l2vpn)/\w{3,20}\s+\d{1,9}\s+\d{1,9}\s*$"
_ROUTE = (
    r"(?:(\d{1,10})\s+)?(?:([0-9a-fA-F.:]{3,45})\s+)?([0-9a-fA-F.:]{2,45}/\d{1,3})\s+([0-9a-fA-F.:]{2,45})\s+"
    r"(\S{1,20})\s+\[.{0,1000}$"
)


class _Place(Struct):
    """The cells of the row above, which blank cells repeat."""

    node: str = ""
    peer: str = ""


def read(capture: Capture) -> Reading:
    """The sessions or routes, and the lines that are none."""
    facts: list[AnyFact] = []
    unread: list[int] = []
    place = _Place(node=capture.host)
    head = ""
    for index, line in enumerate(readable(capture.lines)):
        line = line.rstrip()
        if re.match(r"(?:Node\s+)?(?:Local AS|VRouter)\s{2,}", line):
            head = line
            continue
        fact = _peer(capture, index, line, place) or _route(capture, index, line, place, head)
        if fact is not None:
            facts.append(fact)
        elif not (is_noise(line) or (facts and re.match(_FAMILY, line))):
            unread.append(index)
    return Reading((*facts, *_listings(capture, facts, head, complete=not unread)), spans(unread))


def _row(form: str, line: str) -> tuple[str, re.Match[str]] | None:
    """The node that a row begins with ("" for a blank one), and the rest of it."""
    text = line.strip()
    if match := re.match(form, text):
        return "", match
    node, _, rest = text.partition(" ")
    match = re.match(form, rest.lstrip()) if line[:1] == text[:1] else None
    return (f"node/{node}", match) if match else None


def _peer(capture: Capture, index: int, line: str, place: _Place) -> BgpSession | None:
    """`NODE LOCAL-AS PEER-AS ADDRESS STATE UPTIME FAMILY RECEIVED ADVERTISED`."""
    found = _row(_PEER, line)
    if found is None or found[1][4].lower() not in _STATES:
        return None
    node, match = found
    address = canonical_address(match[3]) or canonical_address(re.sub(r":\d{1,5}$", "", match[3]))
    if address is None:
        return None
    place.node = node or place.node
    return BgpSession(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=place.node,
        peer=address,
        state=_STATES[match[4].lower()],
        local_as=int(match[1]),
        peer_as=int(match[2]),
        uptime=match[5],
        prefixes_received=int(match[6]) if match[6] else None,
        prefixes_sent=int(match[7]) if match[7] else None,
    )


def _route(capture: Capture, index: int, line: str, place: _Place, head: str) -> Route | None:
    """`NODE VROUTER PEER PREFIX NEXTHOP AGE [ATTRIBUTES]`; 0.0.0.0 stands for the node itself."""
    found = _row(_ROUTE, line)
    prefix = canonical_prefix(found[1][3]) if found else None
    if found is None or prefix is None:
        return None
    node, match = found
    place.node = node or place.node
    place.peer = canonical_address(match[2] or "") or place.peer
    via = canonical_address(match[4])
    return Route(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=place.node,
        prefix=prefix,
        next_hops=() if via in {None, "0.0.0.0", "::"} else (NextHop(via=via or ""),),
        protocol="bgp",
        table=_table(capture, head, place.peer),
    )


def _table(capture: Capture, head: str, peer: str) -> str:
    """`export:PEER` for what is advertised: the command says so, or the table has peers."""
    advertised = " advertised" in capture.command or bool(re.search(r"\bPeer\s", head))
    return f"export:{peer}" if advertised else "bgp"


def _listings(capture: Capture, facts: list[AnyFact], head: str, *, complete: bool) -> list[AnyFact]:
    """One listing per node and table; whole when the command is known and nothing filters it."""
    whole = complete and bool(capture.command and head) and not is_piped(capture.command)
    origin = capture.origin(0, len(capture.lines))
    common = {"origin": origin, "trust": capture.trust, "taken": capture.taken, "complete": whole}
    sessions = dict.fromkeys(fact.device for fact in facts if isinstance(fact, BgpSession))
    tables = dict.fromkeys((fact.device, fact.table) for fact in facts if isinstance(fact, Route))
    found: list[AnyFact] = [BgpListing(device=device, **common) for device in sessions]  # type: ignore[arg-type]
    found += [RouteListing(device=device, table=table, **common) for device, table in tables]  # type: ignore[arg-type]
    return found
