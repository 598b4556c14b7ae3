"""BIRD's protocols.

Reads: `show protocols` and `show protocols all [NAME]` of birdc and birdcl, BIRD 1.6 (Calico's) and 2.x, and birdc's
complaint that BIRD does not run.
Ask: `birdcl show protocols all` in the calico-node container, `birdc show protocols all` elsewhere.
Facts: BgpSession per BGP protocol, BgpListing, LogEvent `not-running`.
Not read: the other protocols carry no fact; capabilities, timers and channel settings are skipped over.

Format: BIRD nest/proto.c proto_cmd_show, proto/bgp/bgp.c bgp_get_status and bgp_show_proto_info.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.bgp import bird_session, number, peer_of_protocol
from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable, whole
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.address import canonical_address
from kubereach.model.fact import AnyFact, BgpListing, BgpSession, LogEvent

_TYPES = "BGP|Static|Kernel|Device|Direct|Pipe|OSPF|RIP|RPKI|BFD|Babel|RAdv|L3VPN|Aggregator|Perf|MRT|BMP"
_ROW = (
    rf"(\S{{1,120}})\s+({_TYPES})\s+(\S{{1,64}})\s+(up|down|start|stop|flush|wait|feed)"
    r"(?:\s+(\d[\d:.-]{0,18}(?:\s\d\d:\d\d[\d:.]{0,10})?)(?:\s+(.*))?)?\s*$"
)
_HEADER = r"\s*[Nn]ame\s+[Pp]roto\s+[Tt]able\s+[Ss]tate\s+[Ss]ince\s+[Ii]nfo\s*$"
_NOT_RUNNING = (
    r".{0,40}(?:[Uu]nable to connect to (?:server )?(?:control )?socket|unable to connect to BIRDv?[46]? socket"
    r"|birdcl?: connect(?:ion refused|: ))"
)

COMMANDS = (r"(?:^|/|\s)birdc(?:l|6|l6)?\b.*\bsh(?:ow)?\s+pr(?:oto(?:cols?)?)?\b", r"^show protocols\b")
SIGNATURES = (
    _HEADER,
    rf"\S{{1,120}}\s+(?:{_TYPES})\s+\S{{1,64}}\s+(?:up|down|start|stop|flush|wait|feed)\s+\d[\d:.-]{{3,18}}(?:\s|$)",
    r"BIRD v?\d[\w.+-]{0,40} ready\.",
    _NOT_RUNNING,
)
ASKS = (
    Ask(
        command="kubectl exec -n calico-system NODE-POD -c calico-node -- birdcl show protocols all",
        where="cluster",
        privilege="exec",
        gives="the state of every BGP session of a Calico node, with the last error",
    ),
    Ask(
        command="birdc show protocols all",
        where="router",
        privilege="root",
        gives="the BGP sessions of a router that runs BIRD",
    ),
)


class _Protocol(Struct, kw_only=True):
    """One protocol block on its way to a fact; `end` is exclusive."""

    start: int
    end: int
    name: str
    kind: str
    column: str
    info: str
    details: dict[str, str]


def read(capture: Capture) -> Reading:
    """The BGP sessions of a BIRD daemon."""
    protocols: list[_Protocol] = []
    unread: list[int] = []
    facts: list[AnyFact] = []
    header = -1
    current: _Protocol | None = None
    for index, line in enumerate(readable(capture.lines)):
        row = re.match(_ROW, line)
        if row:
            current = _start(index, row)
            protocols.append(current)
        elif current is not None and re.match(r"\s{2,}\S", line):
            _detail(current, line.strip())
            current.end = index + 1
        elif re.match(_HEADER, line):
            header = index
        elif re.match(_NOT_RUNNING, line):
            facts.append(_not_running(capture, index))
        elif line.strip() and not _furniture(line):
            unread.append(index)
            current = None
    facts.extend(_session(capture, protocol) for protocol in protocols if protocol.kind == "BGP")
    if header >= 0:
        facts.append(_listing(capture, header, protocols, unread))
    return Reading(facts=tuple(facts), unread=spans(unread))


def _furniture(line: str) -> bool:
    return re.match(r"(?:BIRD v?\d\S{0,40} ready\.|Access restricted|bird>\s*$|0\d{3} )", line) is not None


def _start(index: int, row: re.Match[str]) -> _Protocol:
    return _Protocol(
        start=index, end=index + 1, name=row[1], kind=row[2], column=row[4], info=(row[6] or "").strip(), details={}
    )


def _detail(protocol: _Protocol, text: str) -> None:
    """Keeps the first value of a `Key:   value` line; a later one belongs to the next channel."""
    key, colon, value = text.partition(":")
    if colon:
        protocol.details.setdefault(key, value.strip())


def _session(capture: Capture, protocol: _Protocol) -> BgpSession:
    details = protocol.details
    address, peer_type = peer_of_protocol(protocol.name)
    state, error = bird_session(protocol.column, protocol.info)
    routes = re.match(r"(\d{1,9}) imported(?:, \d{1,9} filtered)?, (\d{1,9}) exported", details.get("Routes", ""))
    return BgpSession(
        origin=capture.origin(protocol.start, protocol.end),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        peer=canonical_address(details.get("Neighbor address", "").split("%")[0]) or address,
        state=state,
        name=protocol.name,
        error=error or details.get("Last error", ""),
        peer_as=number(details.get("Neighbor AS")),
        local_as=number(details.get("Local AS")),
        local_address=canonical_address(details.get("Source address", "")) or "",
        prefixes_received=int(routes[1]) if routes and state == "Established" else None,
        prefixes_sent=int(routes[2]) if routes and state == "Established" else None,
        prefixes_refused=_filtered(details) if state == "Established" else None,
        peer_type=peer_type,
    )


def _filtered(details: dict[str, str]) -> int | None:
    """Routes that the import filter kept out: kept ones are counted, of others the updates (nest/proto.c)."""
    kept = re.match(r"\d{1,9} imported, (\d{1,9}) filtered", details.get("Routes", ""))
    updates = details.get("Import updates", "").split()  # received rejected filtered ignored accepted
    if kept:
        return int(kept[1])
    return number(updates[2]) if len(updates) == 5 else None


def _listing(capture: Capture, header: int, protocols: list[_Protocol], unread: list[int]) -> BgpListing:
    """Complete when the command named no single protocol and nothing between the header and the last row is unread."""
    last = max((protocol.end for protocol in protocols), default=header + 1)
    named = re.search(r"\bpr(?:oto(?:cols?)?)?\s+(?:all\s+)?(?!all\b)[\"\w]", capture.command)
    kept = bool(protocols) and whole(capture.lines, unread, header, last)
    return BgpListing(
        origin=capture.origin(header, last),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        complete=bool(capture.command) and kept and not named,
    )


def _not_running(capture: Capture, index: int) -> LogEvent:
    return LogEvent(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        program="bird",
        event="not-running",
        fields=(("msg", capture.lines[index].strip()),),
    )
