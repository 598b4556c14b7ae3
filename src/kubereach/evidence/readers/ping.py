"""Echo requests: ping and ping6 of iputils, BSD, macOS, busybox and Windows.

Reads
    Whole and interrupted runs, several in a row; the errors and redirects of routers on the way, with the quoted header
    that BSD prints after them (its Src column is the pinger's own address); the one-line errors of a ping that could
    not send. Windows in any language as far as its numbers tell.
Ask
    ping -c 4 ADDRESS, from the client.
Facts
    One ProbeResult per run: reply, timeout, unreachable (an ICMP error or a local error came back, in `reason`), or
    intermittent when 10 to 90 % were lost. TTLs and redirects are the distinct ones in order of appearance. A reply
    "Destination host unreachable" counts as received with Windows; it is taken out. A name that cannot be resolved is
    a dns result.
Not read
    Round-trip times.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import address_and_name, is_noise, operands, vantage, words
from kubereach.model.address import canonical_address
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult

COMMANDS = (r"(?:^|[\s/])ping6?(?:\.exe)?\s",)
SIGNATURES = (
    r"PING6? \S{1,255} ?\([0-9a-fA-F.:%]{2,60}\)",
    r"PING6\(\d",
    r"Pinging \S{1,255} .{0,80}with \d{1,5} bytes of data",
    r"\S{0,8} bytes from \S{1,255}(?: \(\S{2,60}\))?[:,] ?(?:icmp_)?seq=\d",
    r"\S{0,8} bytes from \S{1,255}(?: \(\S{2,60}\))?: (?:Redirect|Destination|Time to live)",
    r"From \S{1,255}:?(?: \(\S{2,60}\):?)? icmp_seq=\d",
    r"Reply from [0-9a-fA-F.:]{2,45}: ",
    r"-{2,3} \S{1,255} ping6? statistics -{2,3}",
    r"ping6?: (?:connect|sendmsg|sendto|cannot resolve|unknown host)\b",
)
ASKS = (Ask(command="ping -c 4 ADDRESS", where="client", gives="whether and from how far away the address answers"),)

_VALUED = frozenset(
    ["-c", "-i", "-I", "-W", "-w", "-s", "-t", "-M", "-S", "-n", "-l", "-Q", "-T", "-m", "-F", "-p", "-e", "-f"]
)
_ERROR = (
    r"Destination (?:net|host|protocol|port|network) (?:unreachable|prohibited|unknown|isolated)|Dest unreachable|"
    r"Packet filtered|Communication prohibited|Time to live exceeded|TTL expired|Time exceeded|"
    r"Frag(?:mentation)? needed|Frag reassembly time|Parameter problem|Source quench|"
    r"Destination unreachable|Packet too big|Administratively prohibited|Host precedence"
)
_LOCAL_ERROR = (
    r"Network is unreachable|No route to host|Host is down|Operation not permitted|Invalid argument|"
    r"Permission denied|Can't assign requested address|Cannot assign requested address|General failure|"
    r"Message too long|No buffer space available|local error"
)
_NO_NAME = (
    r"ping6?: (?:cannot resolve (\S{1,255}?):|unknown host (\S{1,255})|bad address '(\S{1,255})'|"
    r"(\S{1,255}): (?:Name or service|Temporary failure|No address|Unknown host|nodename nor))"
    r"|Ping request could not find host (\S{1,255}?)\."
)
_QUOTED = (
    r"\s{0,4}[0-9a-f]\s{1,4}[0-9a-f]\s{1,4}[0-9a-f]{2}\s{1,4}[0-9a-f]{4}\s.{8,40}?\s([\d.]{7,15})\s{1,4}"
    r"([\d.]{7,15})\s*"
)


class _Run(Struct):
    """One ping as far as it has been read; `first` and `last` are line indices."""

    first: int
    last: int
    target: str = ""
    name: str = ""
    source: str = ""
    sender: str = ""  # as the dump of a redirected packet shows it: surer than any caption
    system: str = ""
    sent: int | None = None
    received: int | None = None
    replies: int = 0
    silent: int = 0
    sequence: list[int] = field(default_factory=list)
    ttls: list[int] = field(default_factory=list)
    redirects: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    foreign: str = ""
    unresolved: str = ""


def read(capture: Capture) -> Reading:
    """One result per run, and the lines that are not ping's."""
    runs: list[_Run] = []
    unread: list[int] = []
    for index, line in enumerate(capture.lines):
        if index > 0 and is_noise(line):
            continue
        line = _bare(line)
        if run := _header(line, index):
            runs.append(run)
        elif runs and (_belongs(line) or _message(runs[-1], line)):
            runs[-1].last = index
        elif not runs and _message(headless := _headless(capture, index), line):
            runs.append(headless)
        elif not is_noise(line) and not _belongs(line):
            unread.append(index)
    if not runs and any("^C" in line for line in capture.lines):
        runs.append(_headless(capture, 0))
    return Reading(tuple(_result(capture, run) for run in runs), spans(unread))


def _bare(line: str) -> str:
    """The line without `^C` and without the time stamps of `ping -D`."""
    line = line.rstrip().removeprefix("^C")
    return re.sub(r"^\[\d{9,11}\.\d{1,6}\] ", "", line)


def _headless(capture: Capture, index: int) -> _Run:
    """A run without its first line: the target is the command's."""
    targets = operands(words(capture.command), _VALUED)
    target, name = address_and_name(targets[-1]) if targets else ("", "")
    return _Run(first=index, last=index, target=target, name=name)


def _header(line: str, index: int) -> _Run | None:
    """The run that a first line opens."""
    form = r"PING6? (\S{1,255}?) ?\(([0-9a-fA-F.:%\w]{2,60})\)(:?)(?: from (\S{2,60}?)(?: (\S{1,32}))?)?:? (.{0,60})$"
    if match := re.match(form, line):
        # BSD and busybox put a colon after the address, iputils says how long the packet is with its header.
        system = "" if match[3] or (match[4] and "(" not in match[6]) else "linux"
        return _opened(index, match[2], match[1], match[4] or "", system)
    if match := re.match(r"PING6\([^)]{1,40}\) (\S{2,60}) --> (\S{2,60})", line):
        return _opened(index, match[2], "", match[1], "bsd")
    if match := re.match(r"Pinging (\S{1,255})(?: \[(\S{2,60})\])?(?: from (\S{2,60}))? with \d", line):
        return _opened(index, match[2] or match[1], match[1], match[3] or "", "windows")
    # Windows in another language: an address, a number of bytes, a colon.
    if match := re.match(r"\D[^\d\[]{3,60}(?:\S{1,255} \[)?([\d.]{7,15})\]? .{1,30}?\b\d{2,5}\b[^\d:]{2,40}:$", line):
        return _opened(index, match[1], "", "", "windows") if canonical_address(match[1]) else None
    return None


def _opened(index: int, target: str, name: str, source: str, system: str) -> _Run:
    address, unknown = address_and_name(target)
    name = unknown or ("" if canonical_address(name) else name)
    source = canonical_address(source.rstrip(":")) or ""
    return _Run(first=index, last=index, target=address, name=name, source=source, system=system)


def _belongs(line: str) -> bool:
    """Lines of ping that say nothing, or nothing that the others do not say."""
    return bool(
        re.match(
            r"\s*Vr HL TOS|pipe \d{1,6}$|(?:rtt|round-trip) min/avg|Approximate round trip|\s+\S{3,20} = \d{1,6} ?ms",
            line,
        )
        or re.match(r"(?=.{0,30}(?:tatisti|stad[ií]st|татист|統計))\D{3,60}[\d.]{7,15} ?:$", line)
        or re.match(r".{3,50}[Mm]il[il]?[is].{1,12}:$|\s{2,8}\(\d{1,3} ?% [^\d)]{1,24}\),?$", line)
        or re.match(r"-{2,3} \S{1,255} ping6? statistics|Ping statistics for|(?:ping6?: )?(?:WARNING|Warning): ", line)
    )


def _message(run: _Run, line: str) -> bool:
    """Whether `line` is about an echo, an error, or the sum of a run; what it says goes into `run`."""
    if match := re.match(r"\S{0,8} bytes from (\S{1,255})(?: \((\S{2,60}?)\))?[:,]? (.{0,200})$", line):
        return _heard(run, match[2] or match[1].rstrip(":,"), match[3])
    if match := re.match(r"From (\S{1,255})(?: \((\S{2,60}?)\))?:? (?:icmp_)?seq[= ](\d{1,9}) (.{1,200})$", line):
        run.sequence.append(int(match[3]))
        run.system = run.system or "linux"
        return _heard(run, match[2] or match[1].rstrip(":"), match[4])
    if match := re.match(r"Reply from (\S{1,60}): (.{1,200})$", line):
        run.system = "windows"
        return _heard(run, match[1], match[2])
    if run.system == "windows" and (match := re.match(r"\D[^:\d]{3,40} ([\d.]{7,15}): (\S.{2,120})$", line)):
        if "TTL=" not in match[2]:
            _append(run.errors, f"{match[2].rstrip('.')} (from {match[1]})")
            run.silent += 1
            return True
        return _heard(run, match[1], match[2])
    return _silence(run, line) or _sum(run, line) or _failure(run, line)


def _heard(run: _Run, who: str, text: str) -> bool:
    """An echo reply, a redirect or an error that `who` sent."""
    who = canonical_address(who) or who
    if match := re.search(r"Redirect (?:\w{1,10} ?){0,4}\(New \w{1,10}: (\S{2,60}?)\)", text):
        pair = (who, canonical_address(match[1]) or match[1])
        if "addr" in match[0]:
            run.system = run.system or "bsd"
        if pair not in run.redirects:
            run.redirects.append(pair)
        return True
    if error := re.search(_ERROR, text, re.IGNORECASE):
        _append(run.errors, f"{error[0]} (from {who})")
        if run.system == "windows":
            run.silent += 1
        return True
    if match := re.search(r"(?:ttl|hlim|TTL)=(\d{1,3})", text):
        if int(match[1]) not in run.ttls:
            run.ttls.append(int(match[1]))
    elif not re.match(r"(?:icmp_)?seq=|bytes=|time|icmp_$", text):
        return False
    _echo(run, who, text)
    return True


def _echo(run: _Run, who: str, text: str) -> None:
    """An answer: counted once, with the sequence number and what tells the system."""
    if sequence := re.search(r"(?:^|icmp_|\s)seq=(\d{1,9})", text):
        run.sequence.append(int(sequence[1]))
    if "DIFFERENT ADDRESS" in text or (run.target and canonical_address(who) and who != run.target):
        run.foreign = who
    if "DUP!" in text:
        return
    run.replies += 1
    if re.match(r"seq=", text):
        run.system = run.system or "linux"  # busybox


def _silence(run: _Run, line: str) -> bool:
    """A request without an answer."""
    if match := re.match(r"Request timeout for icmp_seq (\d{1,9})|no answer yet for icmp_seq=(\d{1,9})", line):
        run.sequence.append(int(match[1] or match[2]))
        run.system = run.system or ("bsd" if match[1] else "linux")
        run.silent += 1
        return True
    if re.match(
        r"Request timed out\.|Délai d'attente|Zeitüberschreitung der Anf|Tempo limite|Tiempo de espera|要求がタイム",
        line,
    ):
        run.system = run.system or "windows"
        run.silent += 1
        return True
    return False


def _sum(run: _Run, line: str) -> bool:
    """The statistics."""
    if match := re.match(r"(\d{1,9}) packets transmitted, (\d{1,9}) (packets )?received", line):
        run.sent, run.received = int(match[1]), int(match[2])
        # Linux drops the word "packets"; busybox keeps it, and was told by its sequence numbers.
        run.system = run.system or ("bsd" if match[3] else "linux")
        return True
    if match := re.match(
        r"\s+\S[^=\n]{2,30}: \S[^=\n]{1,20} = (\d{1,9}), [^=\n]{2,20} = (\d{1,9}), [^=\n]{2,20} = \d", line
    ):
        run.sent, run.received = int(match[1]), int(match[2])
        run.system = "windows"
        return True
    return False


def _failure(run: _Run, line: str) -> bool:
    """Errors of the local system, and the quoted header after a BSD error."""
    if match := re.match(_QUOTED, line):
        run.sender = run.sender or canonical_address(match[1]) or ""
        return True
    if match := re.match(_NO_NAME, line):
        run.unresolved = next(group for group in match.groups() if group).strip("'\"")
        run.errors.append(line.partition(": ")[2] or line)
        return True
    local = (
        re.search(_LOCAL_ERROR, line[:200]) if re.match(r"(?:ping6?|connect|PING|General failure)\b", line) else None
    )
    if local:
        _append(run.errors, local[0])
        run.silent += 1
        return True
    return False


def _append(errors: list[str], text: str) -> None:
    if text not in errors:
        errors.append(text)


def _counts(run: _Run) -> tuple[int | None, int | None]:
    """What was sent and answered: the statistics, or what the lines of an interrupted run show."""
    if run.sent is not None and run.received is not None:
        refused = run.silent if run.system == "windows" and run.errors else 0
        shown = run.replies + refused
        return run.sent, run.replies if refused and shown >= run.received else run.received
    if run.sequence:
        first = min(0 if run.system == "bsd" else 1, *run.sequence)
        return max(run.sequence) - first + 1, run.replies
    return (run.replies + run.silent, run.replies) if run.replies + run.silent else (None, None)


def _outcome(run: _Run, sent: int | None, received: int | None) -> Outcome:
    if not received:
        return Outcome.UNREACHABLE if run.errors else Outcome.TIMEOUT
    lost = 0.0 if not sent else max(0.0, 1 - received / sent)
    if lost > 0.9:
        return Outcome.TIMEOUT
    return Outcome.REPLY if lost < 0.1 else Outcome.INTERMITTENT


def _result(capture: Capture, run: _Run) -> ProbeResult:
    sent, received = _counts(run)
    reason = "; ".join(run.errors)
    if run.foreign:
        reason = "; ".join(filter(None, (reason, f"reply from {run.foreign}")))
    return ProbeResult(
        origin=capture.origin(run.first, run.last + 1),
        trust=capture.trust,
        taken=capture.taken,
        probe=ProbeKind.DNS if run.unresolved else ProbeKind.PING,
        source=vantage(run.sender or capture.host, run.source),
        target=run.target,
        target_name=run.unresolved or run.name,
        outcome=_outcome(run, sent, received),
        protocol="UDP" if run.unresolved else "ICMP",
        reason=reason,
        sent=sent,
        received=received,
        reply_ttls=tuple(run.ttls),
        redirects=tuple(run.redirects),
        client_os=run.system,
    )
