"""The way to an address with its losses: `mtr --report`.

Reads
    Report form (`-r`, `-w`, `-b`), with several addresses at one hop; also the screen form of a copied window.
Ask
    mtr -n -r -c 10 ADDRESS, from the client.
Facts
    One ProbeResult (traceroute) per report: the first address of each hop, "" for ???. mtr does not print its target:
    it is the command's, or the last hop. reply when the last hop is the target, intermittent when it lost 10 to 90 %,
    else timeout. Sent and received are the last hop's. The host that ran it stands in the report's head.
Not read
    Times, losses on the way (routers answer at their leisure).
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import address_and_name, is_noise, operands, option, port_number, words
from kubereach.model.address import canonical_address
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult

COMMANDS = (r"(?:^|[\s/])mtr\s",)
SIGNATURES = (
    r"HOST: \S{1,255}\s{1,80}Loss%",
    r"\s{0,3}\d{1,3}\.(?:\|--|\s)\s{0,2}\S{1,255}(?: \(\S{2,60}\))?\s{1,60}\d{1,3}\.\d%\s",
)
ASKS = (Ask(command="mtr -n -r -c 10 ADDRESS", where="client", gives="the routers on the way, and losses at its end"),)

_VALUED = frozenset(["-c", "-i", "-s", "-m", "-f", "-P", "-G", "-U", "-a", "-o", "-B", "-Q", "-I", "-y", "-Z", "-F"])


class _Report(Struct):
    """One report as far as it has been read."""

    first: int
    last: int
    host: str = ""
    taken: str = ""
    hops: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    loss: float = 100.0
    sent: int | None = None


def read(capture: Capture) -> Reading:
    """One result per report, and the lines that are not mtr's."""
    reports: list[_Report] = []
    unread: list[int] = []
    taken = ""
    for index, line in enumerate(capture.lines):
        if match := re.match(r"Start: (\S.{5,40})$", line.rstrip()):
            taken = match[1]
        elif match := re.match(r"\s{0,40}(?:HOST: (\S{1,255})|Host)\s{1,80}Loss%", line):
            reports.append(_Report(first=index, last=index, host=match[1] or "", taken=taken))
        elif re.match(r"\s{0,3}\d{1,3}\.[|\s]", line) and _row(reports, index, line):
            reports[-1].last = index
        elif not (is_noise(line) or re.match(r"\s+\|\s{0,4}`?\|--|\s{20,}(?:Packets|My traceroute)|Keys: ", line)):
            unread.append(index)
    return Reading(tuple(_result(capture, report) for report in reports if report.hops), spans(unread))


def _row(reports: list[_Report], index: int, line: str) -> bool:
    """`  1.|-- ADDRESS  0.0%  10  …`."""
    form = (
        r"\s{0,3}(\d{1,3})\.(?:\|--|"
        r"\s)\s{0,4}(\S{1,255})(?: \((\S{2,60})\))?\s{1,80}(\d{1,3}(?:\.\d{1,2})?)%?\s{1,9}(\d{1,9})\b"
    )
    match = re.match(form, line)
    if match is None or not 0 < int(match[1]) < 256:
        return False
    if not reports:
        reports.append(_Report(first=index, last=index))
    report = reports[-1]
    while len(report.hops) < int(match[1]) - 1:
        report.hops.append("")
        report.names.append("")
    shown = "" if match[2].startswith("???") else match[3] or match[2]
    report.hops.append(canonical_address(shown) or shown)
    report.names.append(match[2])
    report.loss, report.sent = float(match[4]), int(match[5])
    return True


def _result(capture: Capture, report: _Report) -> ProbeResult:
    command = words(capture.command)
    targets = operands(command, _VALUED)
    target, name = address_and_name(targets[0]) if targets else ("", "")
    last = report.hops[-1]
    if not target and (not name or name == report.names[-1]):
        target = canonical_address(last) or ""
    arrived = bool(last) and report.loss <= 90 and last in {target, name}
    tcp, udp = "-T" in command or "--tcp" in command, "-u" in command or "--udp" in command
    outcome = Outcome.INTERMITTENT if report.loss >= 10 else Outcome.REPLY
    return ProbeResult(
        origin=capture.origin(report.first, report.last + 1),
        trust=capture.trust,
        taken=report.taken or capture.taken,
        probe=ProbeKind.TRACEROUTE,
        source=capture.host or report.host,
        target=target,
        target_name=name,
        outcome=outcome if arrived else Outcome.TIMEOUT,
        port=port_number(option(command, "-P", "--port") or "") if tcp or udp else None,
        protocol="TCP" if tcp else "UDP" if udp else "ICMP",
        sent=report.sent if arrived else None,
        received=round(report.sent * (1 - report.loss / 100)) if arrived and report.sent is not None else None,
        hops=tuple(report.hops),
    )
