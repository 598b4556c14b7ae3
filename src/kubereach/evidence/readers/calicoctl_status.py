"""Calico's own view of its BGP sessions.

Reads: `calicoctl node status`, also without its borders.
Ask: `sudo calicoctl node status` on each node.
Facts: BgpSession per row, BgpListing, LogEvent `not-running`.
Not read: the section titles.

Format: projectcalico/calico calicoctl/commands/node/status.go; the INFO column is BIRD's own.
"""

from __future__ import annotations

import re

from kubereach.evidence.bgp import bird_session
from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable, whole
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.address import canonical_address
from kubereach.model.fact import AnyFact, BgpListing, BgpSession, LogEvent

_TYPE = r"global|node specific|node-to-node mesh|node to node mesh|mesh"
_ROW = (
    r"[\s|│]{0,8}([0-9A-Fa-f.:%\w-]{3,60}?)(?:\.port\.\d{1,5})?[\s|│]+"
    rf"({_TYPE})[\s|│]+(up|down|start|stop|flush|wait|feed)[\s|│]+(\d[\d:.-]{{3,25}})(?:[\s|│]+([^|│]{{0,200}}?))?[\s|│]*$"
)
_HEADER = r"[\s|│]{0,8}PEER ADDRESS[\s|│]+PEER TYPE[\s|│]+STATE[\s|│]+SINCE[\s|│]+INFO"
_DEAD = (
    r"\s*(?:Calico process is not running|The BGP backend process \(BIRDv?[46]?\) is not running"
    r"|.{0,40}BIRDv?[46]? is not running)"
)
_TITLE = (
    r"(?:Calico process is running\.?|IPv[46] BGP status|No IPv[46] peers found\.?|[-+|= ─┌┬┐└┴┘├┼┤]{1,400}|"
    r"The BGP backend process \(BIRDv?[46]?\) is running\.?)\s*$"
)

COMMANDS = (r"^(?:\S*/)?calicoctl\S*\s.*\bnode\s+status", r"^calico\s+node\s+status")
SIGNATURES = (
    _HEADER,
    rf"[\s|│]{{0,8}}[0-9A-Fa-f.:]{{7,45}}[\s|│]+(?:{_TYPE})[\s|│]+(?:up|down|start|stop|flush|wait|feed)[\s|│]+\d",
    _DEAD,
)
ASKS = (
    Ask(
        command="sudo calicoctl node status",
        where="node",
        privilege="root",
        gives="the state of this node's BGP sessions, with BIRD's last error",
    ),
)


def read(capture: Capture) -> Reading:
    """The sessions in the tables of one node."""
    facts: list[AnyFact] = []
    unread: list[int] = []
    header = last = -1
    for index, line in enumerate(readable(capture.lines)):
        row = re.match(_ROW, line)
        peer = canonical_address(row[1]) if row else None
        if row and peer:
            facts.append(_session(capture, index, peer, row))
            last = index
        elif re.match(_HEADER, line) or re.match(r"No IPv[46] peers found", line):
            header = index if header < 0 else header
            last = index
        elif re.match(_DEAD, line):
            facts.append(_dead(capture, index))
        elif line.strip() and not re.match(_TITLE, line):
            unread.append(index)
    if header >= 0:
        opened = any(re.match(r"\s*Calico process is running", line) for line in capture.lines[:header])
        kept = whole(capture.lines, unread, header, last + 1 if last > header else len(capture.lines))
        facts.append(
            BgpListing(
                origin=capture.origin(header, last + 1),
                trust=capture.trust,
                taken=capture.taken,
                device=capture.host,
                complete=kept and (opened or bool(capture.command)),
            )
        )
    return Reading(facts=tuple(facts), unread=spans(unread))


def _session(capture: Capture, index: int, peer: str, row: re.Match[str]) -> BgpSession:
    state, error = bird_session(row[3], row[5] or "")
    return BgpSession(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        peer=peer,
        state=state,
        error=error,
        peer_type="node-to-node mesh" if "mesh" in row[2] else row[2],
    )


def _dead(capture: Capture, index: int) -> LogEvent:
    line = capture.lines[index]
    return LogEvent(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        program="bird" if "BIRD" in line else "calico-node",
        event="not-running",
        fields=(("msg", line.strip()),),
    )
