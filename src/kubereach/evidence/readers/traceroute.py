"""The way to an address: traceroute of Linux, BSD and busybox, tracepath, Windows tracert.

Reads
    UDP, ICMP (-I) and TCP (-T, with its port) traces with any number of probes per hop, several addresses at one hop,
    the marks `!H !N !P !X !A !<n>`, and the IPv6 variants; several traces in a row.
Ask
    traceroute -n -T -p PORT ADDRESS, from the client.
Facts
    One ProbeResult per trace: its hops (the first address of each, "" for no answer); reply when the last one is the
    target, unreachable when a hop said so (the mark is the reason), else timeout. Loops keep their hops.
Not read
    Times, MPLS labels, AS numbers, further addresses at one hop.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import address_and_name, is_noise, operands, option, port_number, vantage, words
from kubereach.model.address import canonical_address
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult

COMMANDS = (r"(?:^|[\s/])(?:traceroute6?|tcptraceroute|tracepath6?|tracert(?:\.exe)?)\s",)
SIGNATURES = (
    r"traceroute6? to \S{1,255} \(",
    r"Tracing route to \S{1,255}",
    r"\s{0,3}\d{1,3}\s{1,3}\S{1,255}(?: \(\S{2,60}\))?(?:\s{1,3}(?:\d{1,6}\.\d{1,4} ms|\*)){1,10}",
    r"\s{0,3}\d{1,3}(?:\s{1,3}\*){3,5}\s*$",
    r"\s{0,3}\d{1,3}(?:\s{1,8}(?:<?\d{1,6} ms|\*)){3}\s{1,8}\S",
    r"\s{0,3}\d{1,3}\?: \[LOCALHOST\]",
    r"\s{0,3}\d{1,3}:\s{1,4}(?:\S{1,255}\s{1,60}\d{1,6}\.\d{1,4}ms|no reply\s*$)",
)
ASKS = (
    Ask(
        command="traceroute -n -T -p PORT ADDRESS",
        where="client",
        privilege="root",
        gives="the routers on the way, and where the way ends",
    ),
)

_WITH_VALUE = "-f -g -m -p -q -w -z -i -s -t -l -N -O -h -P --mtu -M --port --interface"
_VALUED = frozenset(_WITH_VALUE.split())
_MAX_HOPS = 255


class _Trace(Struct):
    """One trace as far as it has been read."""

    first: int
    last: int
    target: str = ""
    name: str = ""
    source: str = ""
    system: str = ""
    protocol: str = "UDP"
    port: int | None = None
    hops: list[str] = field(default_factory=list)
    mark: str = ""
    reached: bool = False


def read(capture: Capture) -> Reading:
    """One result per trace, and the lines that belong to none."""
    traces: list[_Trace] = []
    unread: list[int] = []
    for index, line in enumerate(capture.lines):
        line = line.rstrip().removeprefix("^C")
        if trace := _header(capture, index, line):
            traces.append(trace)
        elif is_noise(line):
            continue
        elif traces and _line(traces[-1], line):
            traces[-1].last = index
        elif not traces and _line(headless := _headless(capture, index), line):
            traces.append(headless)
        else:
            unread.append(index)
    return Reading(tuple(_result(capture, trace) for trace in traces), spans(unread))


def _headless(capture: Capture, index: int) -> _Trace:
    """A trace without its first line (tracepath has none): all that is known is the command's."""
    command = words(capture.command)
    targets = operands(command, _VALUED)
    trace = _Trace(first=index, last=index)
    trace.target, trace.name = address_and_name(targets[0]) if targets else ("", "")
    program = command[0] if command else ""
    if "tracert" in program and "traceroute" not in program:
        trace.system, trace.protocol = "windows", "ICMP"
    elif "tracepath" in program:
        trace.system = "linux"
    elif "-I" in command or "--icmp" in command:
        trace.protocol = "ICMP"
    elif "-T" in command or "--tcp" in command or "tcptraceroute" in program:
        trace.protocol = "TCP"
        trace.port = port_number(option(command, "-p", "--port") or "80")
        if "tcptraceroute" in program and len(targets) > 1:
            trace.port = port_number(targets[1])
    return trace


def _header(capture: Capture, index: int, line: str) -> _Trace | None:
    """The trace that a first line opens."""
    trace = _headless(capture, index)
    form = (
        r"(?:traceroute6?|Tracing the path|"
        r"Tracing route) to (\S{1,255})(?: [\[(]([0-9a-fA-F.:%\w]{2,60})[\])])?(.{0,120})$"
    )
    match = re.match(form, line)
    if match is None:
        return None
    trace.target, trace.name = address_and_name(match[2] or match[1].rstrip(","))
    if not trace.name and not canonical_address(match[1]):
        trace.name = match[1]
    if line.startswith("Tracing route"):
        trace.system, trace.protocol = "windows", "ICMP"
    if source := re.search(r"\bfrom (\S{2,60}?),", match[3]):
        trace.source = canonical_address(source[1]) or ""
    if size := re.search(r"(\d{1,3}) hops max, (\d{1,5}) byte packets", match[3]):
        # BSD sends 40 or 52 bytes up to 64 hops; Linux 60 or (IPv6) 80, busybox 38 or 46.
        trace.system = "bsd" if size[2] in {"52", "40", "12"} else "linux"
    return trace


def _line(trace: _Trace, line: str) -> bool:
    """Whether `line` belongs to a trace; what it says goes into `trace`."""
    if match := re.match(r"\s{0,4}(\d{1,3})(?:\?:|:|\s)\s{0,8}(\S.{0,1000})$", line):
        return _hop(trace, int(match[1]), match[2])
    if re.match(r"\s{4,}\S{1,255}(?: \(\S{2,60}\))?\s{1,3}[\d.]{1,9} ms", line):
        return True  # a further address at the same hop
    if re.match(r"\s+(?:Resume|Too many hops): pmtu", line):
        trace.reached = trace.reached or "Resume" in line[:20]
        return True
    if match := re.match(
        r"(?:traceroute6?|connect|tracert)\S{0,20}: .{0,100}?(Network is unreachable|No route to host)", line
    ):
        trace.mark = match[1]
        return True
    return bool(
        re.match(r"\s*over a maximum of \d|Trace complete|\s+MPLS Label|traceroute6?: Warning|Selected device", line)
    )


def _hop(trace: _Trace, number: int, text: str) -> bool:
    """One numbered line: the probes' answers, as every system prints them."""
    address = _answerer(text)
    if address is None or not 0 < number <= _MAX_HOPS:
        return False
    if "[LOCALHOST]" in text:
        return True
    while len(trace.hops) < number - 1:
        trace.hops.append("")
    if len(trace.hops) < number:
        trace.hops.append(address)
    elif not trace.hops[number - 1]:
        trace.hops[number - 1] = address
    if mark := re.search(r"(?:\s|ms)(![HNPXASFUVC]|!<\d{1,2}>|!\d{1,2})(?:-\d{1,5})?(?=\s|$)", text):
        trace.mark = mark[1]
    elif "reports:" in text:
        trace.mark = text.partition("reports:")[2].strip().rstrip(".")
    trace.reached = trace.reached or re.search(r"\breached\b", text) is not None
    return True


def _answerer(text: str) -> str | None:
    """The first address of a hop's line, "" when nothing answered, None when it is no such line."""
    if re.match(r"(?:\*\s*){1,10}(?:Request timed out\.?)?$|no reply$|\[LOCALHOST\]|\?: ?\[LOCALHOST\]", text):
        return ""
    # Windows prints the times first.
    windows = re.match(r"(?:(?:<?\d{1,6} ms|\*)\s{1,8}){1,3}(\S.{0,300})$", text)
    rest = windows[1] if windows else re.sub(r"^(?:\*\s{1,4}){1,9}", "", text)
    if windows and re.match(r"(?:Request timed out|General failure)", rest):
        return ""
    match = re.match(r"(\S{1,255})(?: \(([^)]{2,60})\)| \[([^\]]{2,60})\])?(.{0,600})$", rest)
    if match is None or not (windows or re.search(r"\d ?ms\b|\*|!|reports:", match[4])):
        return None
    shown = match[2] or match[3] or match[1]
    return canonical_address(shown) or ("" if match[1] == "reports:" else shown)


def _result(capture: Capture, trace: _Trace) -> ProbeResult:
    last = next((hop for hop in reversed(trace.hops) if hop), "")
    arrived = trace.reached or (bool(last) and last in {trace.target, trace.name} and trace.hops[-1] == last)
    outcome = Outcome.UNREACHABLE if trace.mark else Outcome.REPLY if arrived else Outcome.TIMEOUT
    return ProbeResult(
        origin=capture.origin(trace.first, trace.last + 1),
        trust=capture.trust,
        taken=capture.taken,
        probe=ProbeKind.TRACEROUTE,
        source=vantage(capture.host, trace.source),
        target=trace.target,
        target_name=trace.name,
        outcome=outcome,
        port=trace.port,
        protocol=trace.protocol,
        reason=trace.mark,
        hops=tuple(trace.hops),
        client_os=trace.system,
    )
