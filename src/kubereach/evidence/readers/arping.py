"""Who answers for an address on the wire: arping of iputils and of Thomas Habets, arp-scan's rows.

Reads
    Both programs' output, whole or interrupted, several runs in a row.
Ask
    arping -c 4 -I INTERFACE ADDRESS, from a host in the address's network.
Facts
    One ProbeResult per run: reply or timeout, the MAC addresses that answered in order of appearance (two are two
    owners), the asker's own address where it is printed.
Not read
    Times. Duplicate address detection (-D) gives the same facts.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import address_and_name, is_noise, operands, vantage, words
from kubereach.model.address import canonical_address
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult

COMMANDS = (r"(?:^|[\s/])arping\s",)
SIGNATURES = (
    r"ARPING \S{1,255}(?: from \S{2,60} \S{1,32})?\s*$",
    r"(?:Uni|Broad)cast re(?:ply|quest) from [\d.]{7,15} \[[0-9A-Fa-f:]{11,17}\]",
    r"\d{1,4} bytes from [0-9a-f:]{17} \([\d.]{7,15}\): index=\d",
    r"Sent \d{1,9} probes? \(\d{1,9} broadcast",
    r"Received \d{1,9} (?:response|repl|request)",
)
ASKS = (Ask(command="arping -c 4 ADDRESS", where="client", privilege="root", gives="which MAC addresses own it"),)

_VALUED = frozenset(["-c", "-I", "-i", "-w", "-W", "-s", "-S", "-t", "-T", "-m", "-Q", "-g", "-V"])


class _Run(Struct):
    """One arping as far as it has been read."""

    first: int
    last: int
    target: str = ""
    name: str = ""
    source: str = ""
    sent: int | None = None
    received: int | None = None
    replies: int = 0
    silent: int = 0
    macs: list[str] = field(default_factory=list)


def read(capture: Capture) -> Reading:
    """One result per run, and the lines that are not arping's."""
    runs: list[_Run] = []
    unread: list[int] = []
    for index, line in enumerate(capture.lines):
        line = line.strip().removeprefix("^C")
        if match := re.match(r"ARPING (\S{1,255})(?: from (\S{2,60}) \S{1,32})?$", line):
            target, name = address_and_name(match[1])
            source = canonical_address(match[2] or "") or ""
            runs.append(_Run(first=index, last=index, target=target, name=name, source=source))
        elif is_noise(line):
            continue
        elif runs and _line(runs[-1], line):
            runs[-1].last = index
        elif not runs and _line(run := _headless(capture, index), line):
            runs.append(run)
        else:
            unread.append(index)
    return Reading(tuple(_result(capture, run) for run in runs), spans(unread))


def _headless(capture: Capture, index: int) -> _Run:
    """A run without its first line: the target is the command's."""
    targets = operands(words(capture.command), _VALUED)
    target, name = address_and_name(targets[-1]) if targets else ("", "")
    return _Run(first=index, last=index, target=target, name=name)


def _line(run: _Run, line: str) -> bool:
    """Whether `line` is arping's; what it says goes into `run`."""
    if match := re.match(r"(?:Uni|Broad)cast re(?:ply|quest) from ([\d.]{7,15}) \[([0-9A-Fa-f:]{11,17})\]", line):
        return _answer(run, match[1], match[2])
    if match := re.match(r"\d{1,4} bytes from ([0-9A-Fa-f:]{17}) \(([\d.]{7,15})\)", line):
        return _answer(run, match[2], match[1])
    if match := re.match(r"Sent (\d{1,9}) probes?\b", line):
        run.sent = int(match[1])
    elif match := re.match(r"Received (\d{1,9}) (?:response|repl|request)", line):
        run.received = int(match[1])
    elif match := re.match(r"(\d{1,9}) packets transmitted, (\d{1,9}) packets received", line):
        run.sent, run.received = int(match[1]), int(match[2])
    elif re.match(r"Timeout\b", line):
        run.silent += 1
    else:
        return bool(re.match(r"--- \S{1,255} statistics ---|rtt min/avg|arping: (?:WARNING|lookup|Device)", line))
    return True


def _answer(run: _Run, address: str, mac: str) -> bool:
    run.target = run.target or canonical_address(address) or ""
    run.replies += 1
    mac = ":".join(part.zfill(2) for part in mac.lower().split(":"))
    if mac not in run.macs:
        run.macs.append(mac)
    return True


def _result(capture: Capture, run: _Run) -> ProbeResult:
    received = run.replies if run.received is None else max(run.received, run.replies)
    counted = run.replies + run.silent
    return ProbeResult(
        origin=capture.origin(run.first, run.last + 1),
        trust=capture.trust,
        taken=capture.taken,
        probe=ProbeKind.ARP,
        source=vantage(capture.host, run.source),
        target=run.target,
        target_name=run.name,
        outcome=Outcome.REPLY if received else Outcome.TIMEOUT,
        protocol="ARP",
        sent=run.sent if run.sent is not None else counted or None,
        received=received,
        macs=tuple(run.macs),
    )
