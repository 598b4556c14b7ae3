"""The sessions that a kernel tracks: `conntrack -L`, /proc/net/nf_conntrack.

Reads
    Listings and events (-E), IPv4 and IPv6; also where the program's closing remark fell into the middle of a line.
Ask
    conntrack -L -d ADDRESS, on the node.
Facts
    One LogEvent (program conntrack) per session: the event is the TCP state, or UNREPLIED, ASSURED, REPLIED where there
    is none. The fields are protocol, timeout, flags, then the original tuple (src, dst, sport, dport) and the expected
    reply's (reply_src …): a reply that does not come from dst was translated on the way in, one that does not go to
    src on the way out.
Not read
    Use counts.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise
from kubereach.model.address import canonical_address
from kubereach.model.fact import LogEvent

COMMANDS = (r"(?:^|[\s/])conntrack\s", r"/proc/net/nf_conntrack")
SIGNATURES = (
    (
        r"(?:ipv[46]\s{1,6}\d{1,2} )?(?:tcp|udp|icmp|icmpv6|sctp|"
        r"unknown)\s{1,8}\d{1,3} \d{1,7} (?:[A-Z_\d]{4,12} )?src=\S{2,45} dst="
    ),
    r"\s{0,4}\[(?:NEW|UPDATE|DESTROY)\] (?:tcp|udp|icmp|sctp)\s",
)
ASKS = (
    Ask(
        command="conntrack -L -d ADDRESS",
        where="node",
        privilege="root",
        gives="where the node translates the connection to, and whether an answer came back through it",
    ),
)

_TRAILER = r"conntrack v[\d.]{3,10} \(conntrack-tools\): \d{1,9} (?:flow entries|expectations) have been \w{3,10}\.\s*"


def read(capture: Capture) -> Reading:
    """The sessions, and the lines that are none."""
    facts: list[LogEvent] = []
    unread: list[int] = []
    start = ""
    for index, line in enumerate(capture.lines):
        begun = 1 if start else 0
        whole, start = start + line, ""
        cut = re.search(_TRAILER, whole)
        if cut and not begun and cut.start() > 0 and cut.end() == len(whole):
            # stderr came between two halves of a line of stdout: the rest follows.
            start = whole[: cut.start()]
            continue
        event = _session(capture, index - begun, index + 1, whole)
        if event:
            facts.append(event)
        elif not (cut or is_noise(line)):
            unread.extend(range(index - begun, index + 1))
    if start:
        unread.append(len(capture.lines) - 1)
    return Reading(tuple(facts), spans(unread))


def _session(capture: Capture, first: int, end: int, line: str) -> LogEvent | None:
    """`PROTOCOL NUMBER TIMEOUT [STATE] KEY=VALUE … [FLAG] KEY=VALUE …`."""
    form = (
        r"(?:\[[\d.]{10,20}\s{0,3}\]\s{0,4})?\s{0,8}(?:\[([A-Z]{3,8})\] )?(?:ipv[46]\s{1,6}\d{1,2} )?"
        r"([a-z]\w{1,9})\s{1,8}\d{1,3} (?:(\d{1,8}) )?(?:([A-Z][A-Z_\d]{2,12}) )?(src=.{10,1000})$"
    )
    match = re.match(form, line)
    if match is None:
        return None
    flags = re.findall(r"\[([A-Z_]{4,12})\]", match[5])
    fields = _tuples(match[5])
    state = match[4] or next((flag for flag in flags if flag in {"UNREPLIED", "ASSURED"}), "REPLIED")
    head = {"protocol": match[2], "timeout": match[3] or "", "flags": " ".join(flags), "change": match[1] or ""}
    return LogEvent(
        origin=capture.origin(first, end),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        program="conntrack",
        event=state,
        fields=tuple((key, value) for key, value in (head | fields).items() if value),
    )


def _tuples(text: str) -> dict[str, str]:
    """The original tuple, and the expected reply's under `reply_…`."""
    fields: dict[str, str] = {}
    for key, value in re.findall(r"\b([a-z-]{2,12})=(\S{1,60})", text):
        if key == "use":
            continue
        if key in {"src", "dst"}:
            value = canonical_address(value) or value
        fields[f"reply_{key}" if key in fields else key] = value
    return fields
