"""PowerShell's Test-NetConnection (tnc): ping, a TCP connection, a trace, from Windows.

Reads
    The property list, in several results, with its warnings.
Ask
    Test-NetConnection ADDRESS -Port PORT, from a Windows client.
Facts
    A tcp ProbeResult when a port was tried (open; else filtered: it does not say whether it was refused or met
    silence), a ping one when it pinged, a traceroute one when it traced; with the source address.
Not read
    Interface names and round-trip times.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import address_and_name, is_noise, port_number, vantage
from kubereach.model.address import canonical_address
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult

COMMANDS = (r"(?i)(?:^|\s)(?:test-netconnection|tnc)\s",)
SIGNATURES = (
    r"(?:TcpTestSucceeded|PingSucceeded|PingReplyDetails \(RTT\))\s{1,12}: ",
    r"WARNING: (?:TCP connect to \(\S{1,255} : \d{1,5}\) failed|Ping to \S{1,255} failed)",
    r"(?:RemoteAddress|RemotePort|SourceAddress)\s{1,12}: \S",
)
ASKS = (
    Ask(command="Test-NetConnection ADDRESS -Port PORT", where="client", gives="whether the port opens, from Windows"),
)


_LIST = "ComputerName RemoteAddress RemotePort InterfaceAlias SourceAddress TcpTestSucceeded PingSucceeded TraceRoute"
_PROPERTIES = frozenset(_LIST.split()) | {"PingReplyDetails (RTT)", "NameResolutionSucceeded", "NetRoute", "NextHop"}


class _Test(Struct):
    """One result as far as it has been read."""

    first: int
    last: int
    values: dict[str, str] = field(default_factory=dict)
    warned: dict[str, str] = field(default_factory=dict)
    hops: list[str] = field(default_factory=list)
    ping_status: str = ""


def read(capture: Capture) -> Reading:
    """The probes of each result, and the lines that belong to none."""
    tests: list[_Test] = []
    unread: list[int] = []
    for index, line in enumerate(capture.lines):
        if not (_line(tests, index, line.rstrip()) or is_noise(line)):
            unread.append(index)
    facts = [fact for test in tests for fact in _results(capture, test)]
    return Reading(tuple(facts), spans(unread))


def _line(tests: list[_Test], index: int, line: str) -> bool:
    """Whether `line` belongs to a result; what it says goes there."""
    form = (
        r"WARNING: (?:TCP connect to \((\S{1,255}) : (\d{1,5})\) failed|"
        r"Ping to (\S{1,255}) failed(?:.{0,30}: (\w{1,40}))?)"
    )
    if match := re.match(form, line):
        return _warning(tests, index, match)
    if (match := re.match(r"([A-Z]\w{3,24}(?: \(RTT\))?)\s{0,16}: ?(.{0,255})$", line)) and match[1] in _PROPERTIES:
        if not tests or match[1] in tests[-1].values:
            tests.append(_Test(first=index, last=index))
        tests[-1].values[match[1]] = match[2].strip()
        tests[-1].last = index
        if match[1] == "TraceRoute":
            tests[-1].hops.append(match[2].strip())
        return True
    if tests and tests[-1].hops and (match := re.match(r"\s{10,30}(\S{2,60})$", line)):
        tests[-1].hops.append(match[1])
        tests[-1].last = index
        return True
    return False


def _warning(tests: list[_Test], index: int, match: re.Match[str]) -> bool:
    """A warning precedes the list that it belongs to, which repeats what it says."""
    if not tests or tests[-1].values:
        tests.append(_Test(first=index, last=index))
    test = tests[-1]
    test.last = index
    if match[1]:
        test.warned = {"RemoteAddress": match[1], "RemotePort": match[2], "TcpTestSucceeded": "False"}
    else:
        test.ping_status = match[4] or "failed"
        test.warned.setdefault("RemoteAddress", match[3])
    return True


def _results(capture: Capture, test: _Test) -> list[ProbeResult]:
    """The probes that the list reports."""
    found: list[ProbeResult] = []
    values = test.values = test.warned | test.values
    if "TcpTestSucceeded" in values and values.get("RemotePort", "").isdecimal():
        opened = values["TcpTestSucceeded"] == "True"
        outcome = Outcome.OPEN if opened else Outcome.FILTERED
        reason = "" if opened else "TcpTestSucceeded : False"
        found.append(_result(capture, test, ProbeKind.TCP, outcome, reason))
    if "PingSucceeded" in values or test.ping_status:
        answered = values.get("PingSucceeded") == "True"
        outcome = Outcome.REPLY if answered else Outcome.TIMEOUT
        if "Unreachable" in test.ping_status:
            outcome = Outcome.UNREACHABLE
        found.append(_result(capture, test, ProbeKind.PING, outcome, test.ping_status))
    if test.hops:
        hops = tuple("" if hop in {"0.0.0.0", "TimedOut"} else canonical_address(hop) or hop for hop in test.hops)
        outcome = Outcome.REPLY if hops[-1] == canonical_address(values.get("RemoteAddress", "")) else Outcome.TIMEOUT
        found.append(_result(capture, test, ProbeKind.TRACEROUTE, outcome, "", hops))
    return found


def _result(
    capture: Capture, test: _Test, probe: ProbeKind, outcome: Outcome, reason: str, hops: tuple[str, ...] = ()
) -> ProbeResult:
    values = test.values
    target, name = address_and_name(values.get("RemoteAddress", "") or values.get("ComputerName", ""))
    asked = values.get("ComputerName", "")
    source = canonical_address(values.get("SourceAddress", "").partition(" ")[0]) or ""
    return ProbeResult(
        origin=capture.origin(test.first, test.last + 1),
        trust=capture.trust,
        taken=capture.taken,
        probe=probe,
        source=vantage(capture.host, source),
        target=target,
        target_name=name or ("" if canonical_address(asked) else asked),
        outcome=outcome,
        port=port_number(values.get("RemotePort", "")) if probe is ProbeKind.TCP else None,
        protocol="TCP" if probe is ProbeKind.TCP else "ICMP",
        reason=reason,
        hops=hops,
        client_os="windows",
    )
