"""A TCP (or UDP) connection that a person tried by hand: nc, ncat, telnet, ssh, bash's /dev/tcp.

Reads
    OpenBSD, traditional, macOS and busybox nc; ncat; telnet; ssh's connect errors; bash.
Ask
    nc -zv -w 5 ADDRESS PORT, from the client.
Facts
    One ProbeResult (tcp) per attempt: open, refused, timeout, unreachable or resets, with the system's words. A telnet
    that stays at "Trying" is a timeout. "succeeded" over UDP only means that no error came back: a udp timeout.
Not read
    What was said on the connection.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import address_and_name, is_noise, operands, port_number, words
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult

COMMANDS = (r"(?:^|[\s/])(?:nc|ncat|netcat|telnet|ssh)\s", r"/dev/tcp/")
SIGNATURES = (
    r"Connection to \S{1,255} (?:\(\S{2,60}\) )?(?:port )?\d{1,5} (?:port )?\[(?:tcp|udp)/\S{1,20}\] succeeded!",
    r"nc: connectx? to \S{1,255} ",
    r"Ncat: (?:Connected to|Connection|TIMEOUT|No route|Network)",
    r"\(UNKNOWN\) \[[\d.]{7,15}\] \d{1,5} \(\S{1,20}\)",
    r"telnet: (?:connect to address|Unable to connect)",
    r"ssh: connect to host \S{1,255} port \d",
    r"\S{1,255} \(\S{2,60}:\d{1,5}\) open$",
    r"(?:-)?bash: (?:connect:|/dev/tcp/)",
)
ASKS = (Ask(command="nc -zv -w 5 ADDRESS PORT", where="client", gives="whether the port takes a connection"),)

_VALUED = frozenset(
    ["-w", "-W", "-i", "-p", "-s", "-q", "-G", "-X", "-x", "-T", "-I", "-O", "-o", "-l", "-F", "-L", "-R"]
)
_ERRORS = (
    ("refused", Outcome.REFUSED),
    ("No route to host", Outcome.UNREACHABLE),
    ("Host is unreachable", Outcome.UNREACHABLE),
    ("Network is unreachable", Outcome.UNREACHABLE),
    ("timed out", Outcome.TIMEOUT),
    ("TIMEOUT", Outcome.TIMEOUT),
    ("in progress", Outcome.TIMEOUT),
    ("reset by peer", Outcome.RESETS),
)


class _Attempt(Struct):
    """One attempt as far as it has been read; `outcome` is None while nothing was heard."""

    first: int
    last: int
    target: str = ""
    name: str = ""
    port: int | None = None
    protocol: str = "TCP"
    outcome: Outcome | None = None
    reason: str = ""


def read(capture: Capture) -> Reading:
    """One result per attempt, and the lines that are about none."""
    attempts: list[_Attempt] = []
    unread: list[int] = []
    for index, line in enumerate(capture.lines):
        text = line.strip().removeprefix("^C")
        if attempt := _complete(capture, index, text):
            attempts.append(attempt)
        elif not (_telnet(capture, attempts, index, text) or is_noise(line)):
            unread.append(index)
    if not attempts and any("^C" in line for line in capture.lines) and _from_command(capture, 0).port:
        attempts.append(_from_command(capture, 0))
    return Reading(tuple(_result(capture, attempt) for attempt in attempts), spans(unread))


def _from_command(capture: Capture, index: int) -> _Attempt:
    """An attempt at the command's host and port."""
    attempt = _Attempt(first=index, last=index)
    if match := re.search(r"/dev/(tcp|udp)/([^/\s'\"]{1,255})/(\w{1,16})", capture.command):
        attempt.target, attempt.name = address_and_name(match[2])
        attempt.port, attempt.protocol = port_number(match[3]), match[1].upper()
        return attempt
    command = words(capture.command) or [""]
    named = operands(command, _VALUED)
    if named:
        attempt.target, attempt.name = address_and_name(named[0].rpartition("@")[2])
    if len(named) > 1:
        attempt.port = port_number(named[1])
    elif command[0].endswith("ssh"):
        attempt.port = 22
    elif command[0].endswith("telnet"):
        attempt.port = 23
    if any(re.fullmatch(r"-\w{0,5}u\w{0,5}", word) for word in command[1:]) or "--udp" in command:
        attempt.protocol = "UDP"
    return attempt


def _complete(capture: Capture, index: int, line: str) -> _Attempt | None:
    """The lines that say target, port and outcome at once."""
    forms = (
        (
            r"Connection to (\S{1,255}) (?:\((\S{2,60})\) )?(?:port )?(\d{1,5}) (?:port )?\[(tcp|"
            r"udp)/\S{1,20}\] (succeeded)!"
        ),
        r"nc: connectx? to (\S{1,255}) (?:\((\S{2,60})\) )?port (\d{1,5}) \((tcp|udp)\) (\S.{1,80})$",
        r"nc: (\S{1,255}) \((\S{2,60}?):(\d{1,5})\)()[:,] (.{1,80})$",
        r"(\S{1,255}) \((\S{2,60}?):(\d{1,5})\)() (open)$",
        (
            r"(\S{1,255}) \[([\d.]{7,15})\] (\d{1,5}) \(\S{1,20}\)() ?:? (open|Connection .{1,60}|"
            r"No route to host|Network is .{1,40})$"
        ),
        r"Ncat: Connected to (\S{2,60}?)():(\d{1,5})()(\.)$",
        r"ssh: connect to host (\S{1,255})() port (\d{1,5})(): (.{1,80})$",
        r"(?:-)?bash: /dev/(?:tcp|udp)/([^/\s]{1,255})()/(\d{1,5})(): (.{1,60})$",
    )
    for form in forms:
        if match := re.match(form, line):
            attempt = _Attempt(first=index, last=index, port=port_number(match[3]))
            attempt.target, attempt.name = address_and_name(match[2] or match[1])
            attempt.protocol = (match[4] or "tcp").upper()
            return _told(attempt, match[5])
    if match := re.match(r"(?:Ncat: |(?:-)?bash: connect: |ssh_exchange_identification: )(\S.{3,80})$", line):
        attempt = _from_command(capture, index)
        return _told(attempt, match[1]) if any(error in match[1] for error, _ in _ERRORS) else None
    return None


def _told(attempt: _Attempt, text: str) -> _Attempt:
    """What `text` says of the attempt."""
    for error, outcome in _ERRORS:
        if error in text:
            attempt.outcome = outcome
            attempt.reason = text.removeprefix("failed: ").rstrip(".\r")
            return attempt
    if text in {"succeeded", "open", "."}:
        attempt.outcome = Outcome.OPEN if attempt.protocol == "TCP" else Outcome.TIMEOUT
        attempt.reason = "" if attempt.protocol == "TCP" else "no error came back"
    else:
        attempt.outcome, attempt.reason = Outcome.UNREACHABLE, text.removeprefix("failed: ")
    return attempt


def _telnet(capture: Capture, attempts: list[_Attempt], index: int, line: str) -> bool:
    """telnet, which says it in several lines, and ncat's and ssh's other ones."""
    if match := re.match(r"Trying ([0-9a-fA-F.:]{3,45}?)\.\.\.$", line):
        attempt = _from_command(capture, index)
        attempt.target = address_and_name(match[1])[0] or attempt.target
        if attempts and attempts[-1].outcome is None and not capture.command:
            return True
        attempts.append(attempt)
        return True
    if match := re.match(r"telnet: (?:connect to address \S{2,60}|Unable to connect to remote host): (.{1,80})$", line):
        repeated = bool(attempts) and line.startswith("telnet: Unable") and attempts[-1].last == index - 1
        if not repeated and (not attempts or attempts[-1].outcome is not None):
            attempts.append(_from_command(capture, index))
        attempts[-1].last = index
        _told(attempts[-1], match[1])
        return True
    if attempts and re.match(r"Connected to \S{1,255}\.$", line):
        attempts[-1].last, attempts[-1].outcome = index, Outcome.OPEN
        return True
    return bool(
        re.match(r"Escape character is|Ncat: (?:Version|\d{1,9} bytes)|telnet> |Connection closed by foreign", line)
    )


def _result(capture: Capture, attempt: _Attempt) -> ProbeResult:
    return ProbeResult(
        origin=capture.origin(attempt.first, attempt.last + 1),
        trust=capture.trust,
        taken=capture.taken,
        probe=ProbeKind.UDP if attempt.protocol == "UDP" else ProbeKind.TCP,
        source=capture.host,
        target=attempt.target,
        target_name=attempt.name,
        outcome=attempt.outcome or Outcome.TIMEOUT,
        port=attempt.port,
        protocol=attempt.protocol,
        reason=attempt.reason,
    )
