"""Kernel messages that tell of dropped or misdirected packets.

Reads: `dmesg`, `journalctl -k` and syslog lines of the kernel: martian sources, full conntrack and neighbour tables,
links going down, SYN floods, packets that an iptables LOG or UFW rule wrote down.
Ask: `dmesg -T` on the node, as root.
Facts: LogEvent of the program `kernel`.
Not read: every other message.

Format: Linux net/ipv4/route.c ip_handle_martian_source ("martian source DESTINATION from SOURCE, on dev DEVICE"),
net/netfilter/nf_conntrack_core.c, net/core/neighbour.c, net/netfilter/nf_log_syslog.c.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.fact import LogEvent

_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,40})"
_STAMP = (
    r"(?:(?P<syslog>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{8,30}) (?P<host>[\w.-]{1,80}) kernel: )?"
    r"(?:kern\s{0,3}:\w{2,7}\s{0,3}: )?(?:\[\s{0,8}(?P<stamp>[^\]\n]{0,30}\d[.:]\d[^\]\n]{0,30})\] ?)?(?:<\d{1,3}>)?"
)
_DEV = r"(?P<dev>[\w.@-]{1,32})"
_PAIR = rf"(?P<address>{_ADDRESS}) from (?P<from>{_ADDRESS})"
_BUS = r"(?:[\w.-]{1,20} [\da-f:.]{7,12} )?"  # the driver's name and PCI address
# event, pattern with the fields as groups
_EVENTS = (
    ("martian-source", rf"(?:IPv[46]: )?martian source {_PAIR},? on dev {_DEV}"),
    ("martian-destination", rf"(?:IPv[46]: )?martian destination {_PAIR},? (?:on )?dev {_DEV}"),
    ("conntrack-table-full", r"(?:nf_conntrack: |ip_conntrack: ){1,2}table full,? dropping packet"),
    (
        "neighbour-table-overflow",
        r"(?:neighbou?r: )?(?P<table>arp_cache|ndisc_cache)?:? ?[Nn]eighbou?r table overflow",
    ),
    (
        "syn-flooding",
        r"(?:TCP: )?(?:request_sock_\w{3,5}: )?[Pp]ossible SYN flooding on port (?P<port>[\w.:\[\]]{1,50}?)\.? ",
    ),
    ("duplicate-address", rf"(?:IPv6: )?{_DEV}: IPv6 duplicate address (?P<address>{_ADDRESS})"),
    ("link-down", rf"{_BUS}{_DEV}:? (?:NIC )?(?:Link is Down|link (?:is )?(?:down|becomes not ready))"),
    ("link-up", rf"{_BUS}(?:IPv6: ADDRCONF\S{{0,20}}: )?{_DEV}:? (?:NIC )?(?:Link is Up|link becomes ready)"),
    ("ipvs", r"IPVS: (?P<msg>.{1,200})"),
)
_LOGGED = r"(?P<prefix>.{0,80}?)\s?\bIN=(?P<in>[\w.@-]{0,32}) OUT=(?P<out>[\w.@-]{0,32}) (?P<rest>.{0,600}SRC=.{0,500})"

COMMANDS = (r"^dmesg\b", r"^journalctl\b.*(?:\s-\w*k|--dmesg)")
SIGNATURES = (
    rf".{{0,120}}\bmartian (?:source|destination) {_ADDRESS} from {_ADDRESS}",
    r".{0,120}(?:nf|ip)_conntrack: table full",
    r".{0,120}\b[Nn]eighbou?r table overflow",
    r".{0,120}\bIN=[\w.@-]{0,32} OUT=[\w.@-]{0,32} .{0,200}SRC=\S{3,40} DST=\S{3,40}",
    r".{0,100}\bPossible SYN flooding on port ",
)
ASKS = (
    Ask(
        command="dmesg -T",
        where="node",
        privilege="root",
        gives="packets the kernel refused as martian (with log_martians on), and full tables",
    ),
)


def read(capture: Capture) -> Reading:
    """The kernel's own words on packets; a repeated message gives one fact."""
    facts: list[LogEvent] = []
    unread: list[int] = []
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    martian = False
    for index, line in enumerate(readable(capture.lines)):
        head = re.match(_STAMP, line)
        text = line[head.end() :] if head else line
        if martian and re.match(r"ll header:? ", text):
            continue
        martian = False
        found = _event(text)
        if found is None:
            if line.strip():
                unread.append(index)
            continue
        martian = found[0].startswith("martian")
        if found in seen:
            continue
        seen.add(found)
        facts.append(_fact(capture, index, found, head))
    return Reading(facts=tuple(facts), unread=spans(unread))


def _event(text: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """The event in one message, with its fields."""
    if len(text) > 2000:
        return None
    for event, pattern in _EVENTS:
        match = re.match(pattern, text)
        if match:
            return event, tuple((key, value) for key, value in match.groupdict().items() if value)
    logged = re.match(_LOGGED, text)
    if logged is None:
        return None
    fields = [("prefix", logged["prefix"].strip(" :")), ("in", logged["in"]), ("out", logged["out"])]
    wanted = {"SRC", "DST", "PROTO", "SPT", "DPT", "MARK"}
    pairs = (word.partition("=") for word in logged["rest"].split())
    fields += [(key.lower(), value) for key, _, value in pairs if key in wanted and value]
    return "packet-logged", tuple((key, value) for key, value in fields if value)


def _fact(
    capture: Capture, index: int, found: tuple[str, tuple[tuple[str, str], ...]], head: re.Match[str] | None
) -> LogEvent:
    """The fact; a syslog line names its own host and time."""
    stamp = (head["syslog"] or head["stamp"] or "") if head else ""
    return LogEvent(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=stamp.strip() or capture.taken,
        device=capture.host or (head["host"] or "" if head else ""),
        program="kernel",
        event=found[0],
        fields=found[1],
    )
