"""One BGP neighbour in full.

Reads: `show bgp neighbors [ADDRESS]` and `show ip bgp neighbors` of FRR and Quagga, and the same lines of Cisco IOS.
Ask: `vtysh -c 'show bgp neighbors'` on the router.
Facts: BgpSession, with the last reset's reason while it is not established; LogEvent `no-such-neighbor`.
Not read: capabilities, timers and counters are skipped over.

Format: FRR bgpd/bgp_vty.c bgp_show_peer.
"""

from __future__ import annotations

import re

from kubereach.evidence.bgp import number, session_state
from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.address import canonical_address
from kubereach.model.fact import AnyFact, BgpSession, LogEvent

_START = r"BGP neighbor (?:is|on)\s+\*?([\w.:%-]{1,60})(?::\s*\S{1,60})?,"
_FLAT = (
    r"(?:Local host|Foreign host|Nexthop|BGP connection|BGP Connect Retry|Read thread|Next (?:connect|start) timer"
    r"|Hostname|Estimated round trip|Last write|Mss|Peer Authentication|Connection state|Enqueued packets"
    r"|Event Timers|Timer |Retrans|TimeWait|AckHold|SendWnd|KeepAlive|GiveUp|PmtuAger|DeadWait|Linger|iss:|irs:"
    r"|snduna|SRTT|minRTT|Status Flags|Option Flags|Datagrams|Rcvd:|Sent:|IP Precedence|Packets received"
    r"|Sent Datagrams|Unread input|Minimum incoming|Transport\(tcp\))"
)
_IOS_CURRENT = r"\n[ \t]*Prefixes Current:[ \t]+\d{1,9}[ \t]+(\d{1,9})"
_ABSENT = r"\s*%\s*(?:No such neighbou?r|BGP neighbou?r .{0,60} not found)"

COMMANDS = (r"\bsh(?:ow)?\s+(?:ip\s+|ipv6\s+)?bgp\b.{0,40}\bnei(?:ghbou?rs?)?(?:\s+[\w.:]{2,60})?['\"]?\s*$",)
SIGNATURES = (r"BGP neighbor (?:is|on) [\w.:%*-]{1,60}[,:]",)
ASKS = (
    Ask(
        command="vtysh -c 'show bgp neighbors'",
        where="router",
        privilege="router",
        gives="why the router last closed its BGP session with one node",
    ),
)


def read(capture: Capture) -> Reading:
    """The neighbours, one block each."""
    blocks: list[tuple[int, int]] = []
    unread: list[int] = []
    facts: list[AnyFact] = []
    inside = False
    for index, line in enumerate(readable(capture.lines)):
        if re.match(_START, line):
            blocks.append((index, index + 1))
            inside = True
        elif inside and (re.match(r"\s+\S", line) or re.match(_FLAT, line)):
            blocks[-1] = (blocks[-1][0], index + 1)
        elif re.match(_ABSENT, line):
            facts.append(_absent(capture, index))
        elif line.strip():
            unread.append(index)
            inside = False
    facts.extend(_session(capture, start, end) for start, end in blocks)
    facts.sort(key=lambda fact: fact.origin.first)
    return Reading(facts=tuple(facts), unread=spans(unread))


def _session(capture: Capture, start: int, end: int) -> BgpSession:
    text = "\n".join(capture.lines[start:end])
    head = re.match(_START, text)
    peer = canonical_address(head[1]) if head else None
    state = session_state(_find(r"BGP state\s*=\s*(\w{2,13})", text))
    shut = re.search(r"\n[ \t]*Administratively shut down", text) is not None
    reset = re.sub(r"\s+", " ", _find(r"Last reset [\w:]{1,12}(?: ago)?,\s*(?:due to\s+)?([^\n]{1,120})", text)).strip()
    return BgpSession(
        origin=capture.origin(start, end),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        peer=peer or "",
        state="Down" if shut else state,
        name="" if peer or not head else head[1],
        error="" if state == "Established" else reset,
        peer_as=number(_find(r"remote AS (\d{1,10})", text)),
        local_as=number(_find(r"local AS (\d{1,10})", text)),
        local_address=canonical_address(_find(r"\nLocal host: ([0-9A-Fa-f.:]{2,45}),", text)) or "",
        prefixes_received=number(_find(r"\n[ \t]*(\d{1,9}) accepted prefixes", text) or _find(_IOS_CURRENT, text))
        if state == "Established"
        else None,
        prefixes_refused=_refused(text) if state == "Established" else None,
        policy_refused=bool(re.search(r"Inbound updates discarded due to missing policy", text)),
        uptime=_find(r"BGP state\s*=\s*Established, up for ([\w:]{1,20})", text),
        drops=number(_find(r"\n[ \t]*Connections established \d{1,9}; dropped (\d{1,9})", text)),
    )


def _refused(text: str) -> int | None:
    """What the import policy kept out: IOS counts it; of FRR, an update beside the End-of-RIB that left no prefix."""
    denied = re.search(
        r"Local Policy Denied Prefixes:[^\n]*(?:\n[ \t]+(?!Total:)[^\n]*){0,12}\n[ \t]+Total:\s+\d+\s+(\d+)", text
    )
    if denied:
        return number(denied[1])
    updates = number(_find(r"\n[ \t]*Updates:[ \t]+\d{1,9}[ \t]+(\d{1,9})", text)) or 0
    refused = re.search(r"\n[ \t]*0 accepted prefixes", text) is not None and updates > 1
    return (
        1 if refused and re.search(r"Route map for incoming|Incoming update (?:prefix|AS path) filter", text) else None
    )


def _absent(capture: Capture, index: int) -> LogEvent:
    """The speaker's word that it has no such neighbour configured."""
    named = re.search(r"neighbou?rs?\s+([\w.:]{2,60})", capture.command)
    peer = (canonical_address(named[1]) or named[1]) if named else ""
    return LogEvent(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        program="bgpd",
        event="no-such-neighbor",
        fields=(("peer", peer),) if peer else (),
    )


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else ""
