"""BGP summaries.

Reads: `show bgp summary` and `show ip bgp summary` of FRR, Quagga, VyOS, EdgeOS, Cisco IOS and NX-OS, Arista EOS; FRR's
JSON form.
Ask: `vtysh -c 'show bgp summary'` on a router with FRR, and in MetalLB's speaker pod.
Facts: BgpSession per neighbour, BgpListing, LogEvent when BGP does not run.
Not read: message counters, queues, memory use.

Format: FRR bgpd/bgp_vty.c bgp_show_summary: a number in State/PfxRcd means Established, `(Policy)` that eBGP lacks an
import policy (RFC 8212) and nothing was taken, `Idle (Admin)` that the neighbour is shut down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import DecodeError
from msgspec.json import decode

from kubereach.evidence.bgp import number, session_state
from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable, whole
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.address import canonical_address
from kubereach.model.fact import AnyFact, BgpListing, BgpSession, LogEvent

_UP = r"(?:\d{1,3}:\d\d(?::\d\d)?|never|(?:\d{1,4}[ywdhms]){1,4})"
_STATE = r"(?:\d{1,9}|\([A-Za-z]{2,12}\)|[A-Z][A-Za-z]{2,13}(?: \([A-Za-z]{2,12}\)|\([A-Za-z]{2,12}\))?)"
_COUNTERS = r"\d{1,12}\s+\d{1,12}(?:\s+\d{1,12}){2,3}"  # Arista has no TblVer
_NUMBERS = rf"([45])\s+(\d{{1,10}}(?:\.\d{{1,5}})?)\s+{_COUNTERS}\s+({_UP})\s+({_STATE})(?:\s+(.{{0,200}}))?$"
_ROW = rf"\s{{0,4}}(?:\*\s?)?(?:[\w./:-]{{1,60}}\s+)?([\w.:%()-]{{2,90}})\s+{_NUMBERS}"
_HEADER = r"\s*(?:Description\s+)?Neighbor\s+(?:V\s+)(?:AS|\s)+MsgRcvd?\s+MsgSent?"
_FURNITURE = (
    r"\s*(?:(?:IPv[46]|L2VPN|VPNv[46])\b.{0,40}Summary|BGP summary information for|BGP router identifier"
    r"|Router identifier|BGP table version|RIB entries|Peers \d|Peer groups|Dynamic (?:neighbor|peer)"
    r"|Displayed neighbors|Neighbor Status Codes|BGP activity|BGP configuration|Read-only mode"
    r"|\d{1,9} (?:network|path|multipath|BGP)\b.{0,60}(?:memory|entries)|BGP using|BGP attribute|.{0,60}bytes of memory"
    r"|Total number of neighbors|\* - dynamic neighbor|\d{1,6} dynamic neighbor|BGP max-paths|Limit \d"
    r"|BGP (?:Dampening|route)|Peers:|BGP VRF|VRF\b.{0,40}$|Failed neighbors|Number of failed)"
)
_NONE = r"\s*%?\s*No (?:BGP |such )?(?:.{0,24} )?neighbors? (?:found|is configured|in)"
_DEAD = (
    r"\s*(?:%?\s*BGP instance(?: not found| '?\S{1,40}'? not found)|.{0,60}failed to connect to any daemons"
    r"|%? ?BGP not active|BGP is not running)"
)

COMMANDS = (r"\bsh(?:ow)?\s+(?:ip\s+|ipv6\s+)?bgp\b.{0,60}\bsum(?:m(?:ary)?)?\b",)
SIGNATURES = (
    _HEADER,
    rf"\s{{0,4}}(?:\*\s?)?[\w.:%()-]{{2,90}}\s+4\s+\d{{1,10}}\s+{_COUNTERS}\s+{_UP}\s+{_STATE}",
    r"(?:IPv[46]|L2VPN) \w{3,10} Summary(?: \(VRF|:)",
    r"BGP router identifier [\d.]{7,15}, local AS number \d",
    r"BGP summary information for VRF ",
    r"\s*%?\s*BGP instance(?: \S{1,40})? not found",
    r".{0,60}failed to connect to any daemons",
)
ASKS = (
    Ask(
        command="vtysh -c 'show bgp summary'",
        where="router",
        privilege="router",
        gives="which BGP neighbours the router has, and how many prefixes it took from each",
    ),
    Ask(
        command="kubectl exec -n metallb-system NAME -c frr -- vtysh -c 'show bgp summary'",
        where="cluster",
        privilege="exec",
        gives="the BGP sessions of one MetalLB speaker in FRR mode",
    ),
)


def read(capture: Capture) -> Reading:
    """The neighbours of a BGP speaker."""
    if any(line.lstrip().startswith("{") for line in capture.lines[:3]):
        return _json(capture)
    facts: list[AnyFact] = []
    unread: list[int] = []
    local_as: int | None = None
    header = last = -1
    wrapped = ""
    for index, line in enumerate(readable(capture.lines)):
        row = re.match(_ROW, line.rstrip()) or (wrapped and re.match(_ROW, f"{wrapped} {line.strip()}"))
        if row:
            facts.append(_session(capture, index - 1 if wrapped else index, index + 1, row, local_as))
            last, wrapped = index, ""
            continue
        if wrapped:
            unread.append(index - 1)
        wrapped = line.strip().lstrip("*") if header >= 0 and canonical_address(line.strip().lstrip("*")) else ""
        if identity := re.search(r"local AS(?: number)? (\d{1,10}(?:\.\d{1,5})?)", line):
            local_as = number(identity[1])
        if re.match(_HEADER, line) or re.match(_NONE, line):
            header, last = (index if header < 0 else header), index
        elif re.match(_DEAD, line):
            facts.append(_dead(capture, index))
        elif line.strip() and not wrapped and not re.match(_FURNITURE, line):
            unread.append(index)
    if wrapped:
        unread.append(len(capture.lines) - 1)
    if header >= 0:
        facts.append(_listing(capture, header, last, unread))
    return Reading(facts=tuple(facts), unread=spans(unread))


def _session(capture: Capture, start: int, end: int, row: re.Match[str], local_as: int | None) -> BgpSession:
    state, received, error, refused = _status(row[5])
    rest = (row[6] or "").split()
    refused_count: int | None = None
    if row[5] in {"Estab", "Established"} and rest:
        received = number(rest[0])  # Arista: State PfxRcd PfxAcc
        accepted = number(rest[1]) if len(rest) > 1 else None
        if received is not None and accepted is not None and accepted <= received:
            received, refused_count = accepted, received - accepted
    sent = number(rest[0]) if rest and row[5][:1] in "0123456789(" and number(rest[0]) is not None else None
    named = re.match(r"([\w.-]{1,60})\(([0-9A-Fa-f.:]{2,45})\)$", row[1])
    address = canonical_address(named[2] if named else row[1]) or ""
    return BgpSession(
        origin=capture.origin(start, end),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        peer=address,
        state=state,
        name=(named[1] if named else "") if address else row[1],
        error=error,
        peer_as=number(row[3]),
        local_as=local_as,
        prefixes_received=received,
        prefixes_sent=sent,
        prefixes_refused=refused_count,
        policy_refused=refused,
        uptime="" if row[4] == "never" else row[4],
    )


def _status(word: str) -> tuple[str, int | None, str, bool]:
    """State, prefixes received, error and whether policy refuses, from the State/PfxRcd column."""
    if word.isdecimal():
        return "Established", int(word), "", False
    if word == "(Policy)":
        return "Established", 0, "", True
    state, _, bracket = word.partition("(")
    note = bracket.rstrip(")")
    if note == "Admin" or state.strip() == "Shut":
        return "Down", None, note or "Admin", False
    known = session_state(state)
    return (known, None, note, False) if known else ("Established" if word == "NoNeg" else "", None, word, False)


def _listing(capture: Capture, header: int, last: int, unread: list[int]) -> BgpListing:
    total = any(re.match(r"\s*Total number of neighbors", line) for line in capture.lines[last : last + 4])
    kept = whole(capture.lines, unread, header, last + 1 if last > header else len(capture.lines))
    return BgpListing(
        origin=capture.origin(header, last + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        complete=kept and (total or bool(capture.command)),
    )


def _dead(capture: Capture, index: int) -> LogEvent:
    line = capture.lines[index].strip()
    return LogEvent(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        program="frr",
        event="not-running" if "daemons" in line else "no-bgp-instance",
        fields=(("msg", line),),
    )


def _json(capture: Capture) -> Reading:
    """`show bgp summary json`, nested by address family or not."""
    try:
        data = decode("\n".join(capture.lines))
    except (DecodeError, UnicodeError, RecursionError):
        return Reading(unread=((0, len(capture.lines)),))
    facts: list[AnyFact] = []
    for family in _families(data):
        for address, peer in family["peers"].items():
            if isinstance(peer, dict):
                facts.append(_json_session(capture, str(address), peer, family))
    if not facts and not (isinstance(data, dict) and "peers" in data):
        return Reading(unread=((0, len(capture.lines)),))
    facts.append(
        BgpListing(
            origin=capture.origin(), trust=capture.trust, taken=capture.taken, device=capture.host, complete=True
        )
    )
    return Reading(facts=tuple(facts))


def _families(data: object, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every object with `peers`, at most three levels down (VRF, family)."""
    if isinstance(data, dict):
        if isinstance(data.get("peers"), dict):
            yield data
        elif depth < 3:
            for value in data.values():
                yield from _families(value, depth + 1)


def _json_session(capture: Capture, address: str, peer: dict[str, Any], family: dict[str, Any]) -> BgpSession:
    def count(value: object) -> int | None:
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    state = str(peer.get("state", ""))
    note = state.partition("(")[2].rstrip(")")
    policy = peer.get("peerState") == "Policy" or peer.get("pfxRcd") == "(Policy)"
    return BgpSession(
        origin=capture.origin(),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        peer=canonical_address(address) or "",
        state="Down" if note == "Admin" else session_state(state.partition("(")[0]),
        name="" if canonical_address(address) else address,
        error=note,
        peer_as=count(peer.get("remoteAs")),
        local_as=count(peer.get("localAs")) or count(family.get("as")),
        prefixes_received=count(peer.get("pfxRcd")),
        prefixes_sent=count(peer.get("pfxSnt")),
        policy_refused=policy,
        uptime="" if peer.get("peerUptime") in {None, "never"} else str(peer.get("peerUptime")),
    )
