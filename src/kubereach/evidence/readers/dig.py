"""Names to addresses: dig, nslookup, host.

Reads
    dig's full and +short answers, nslookup of Linux and Windows, host; several queries in a row.
Ask
    dig NAME, from the client.
Facts
    One ProbeResult (dns) per address answered, with the name in `target_name` and the address as target. Without one:
    a reply with target "" and the server's status (NXDOMAIN, SERVFAIL, REFUSED, NOERROR for an empty answer) in
    `reason`; a timeout when no server answered.
Not read
    Other record types, authorities, flags.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, operands, words
from kubereach.model.address import canonical_address
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult

COMMANDS = (r"(?:^|[\s/])(?:dig|nslookup)\s", r"^(?:\S{0,40}/)?host\s")
SIGNATURES = (
    r"; <<>> DiG ",
    r";; ->>HEADER<<- opcode: ",
    r"[\w.-]{1,255}\.\s{1,40}\d{1,9}\s{1,9}IN\s{1,9}(?:A|AAAA|CNAME)\s{1,9}\S",
    r";; (?:connection timed out|communications error|ANSWER SECTION|QUESTION SECTION)",
    r"\*\* server can't find \S",
    r"\S{1,255} has (?:IPv6 )?address [0-9a-fA-F.:]{3,45}$",
    r"Host \S{1,255} not found: \d",
)
ASKS = (Ask(command="dig NAME", where="client", gives="the address that the client gets for the name"),)

_VALUED = frozenset(["-p", "-b", "-k", "-t", "-c", "-q", "-x", "-f", "-W", "-R", "-m"])
_TYPES = frozenset(["A", "AAAA", "ANY", "CNAME", "IN", "MX", "NS", "PTR", "SOA", "SRV", "TXT"])


class _Query(Struct):
    """One query as far as it has been read."""

    first: int
    last: int
    name: str = ""
    status: str = ""
    silent: bool = False
    answered: int = 0
    server: bool = False


def read(capture: Capture) -> Reading:
    """The answers, and the lines that belong to none."""
    query = _Query(first=0, last=-1, name=_asked(capture.command))
    short = "+short" in capture.command
    facts: list[ProbeResult] = []
    unread: list[int] = []
    for index, line in enumerate(capture.lines):
        line = line.strip()
        if line.startswith(("; <<>> DiG ", "Server:")) and query.last >= 0:
            facts.extend(_closing(capture, query))
            query = _Query(first=index, last=-1)
        found = _answer(query, line, short=short)
        if found:
            query.answered += 1
            facts.append(_result(capture, query, index, index + 1, found, Outcome.REPLY, query.status or "NOERROR"))
        elif is_noise(line):
            continue
        elif not _line(query, line):
            unread.append(index)
            continue
        query.last = index
    facts.extend(_closing(capture, query))
    return Reading(tuple(facts), spans(unread))


def _asked(command: str) -> str:
    """The name in a command."""
    named = [word for word in operands(words(command), _VALUED) if word[:1] not in "@+" and word not in _TYPES]
    return named[0].rstrip(".") if named and canonical_address(named[0]) is None else ""


def _answer(query: _Query, line: str, *, short: bool) -> str:
    """The address in an answer's line, "" when there is none."""
    if match := re.match(r"([\w.*-]{1,255})\s{1,60}\d{1,9}\s{1,9}IN\s{1,9}(A|AAAA)\s{1,9}([0-9a-fA-F.:]{2,45})$", line):
        query.name = query.name or match[1].rstrip(".")
        return canonical_address(match[3]) or ""
    if match := re.match(r"(\S{1,255}) has (?:IPv6 )?address ([0-9a-fA-F.:]{2,45})$", line):
        query.name = query.name or match[1]
        return canonical_address(match[2]) or ""
    if match := re.match(r"Address(?:es)?:\s{1,9}([0-9a-fA-F.:]{2,45})$", line):
        # The first address of nslookup is the server's, before any name.
        return (canonical_address(match[1]) or "") if query.server and query.status else ""
    return (canonical_address(line) or "") if short else ""


def _line(query: _Query, line: str) -> bool:
    """Whether `line` is one of the programs'; what it says goes into `query`."""
    if match := re.search(r"->>HEADER<<-.{0,60}status: (\w{1,12})", line):
        query.status = match[1]
    elif match := re.match(r";([\w.*-]{1,255})\s{1,60}IN\s{1,9}\w{1,9}$", line):
        query.name = query.name or match[1].rstrip(".")
    elif match := re.match(r"; <<>> DiG \S{1,60} <<>> (.{1,255})$", line):
        query.name = query.name or _asked("dig " + match[1])
    elif match := re.match(
        r"\*\* server can't find (\S{1,255}?): (\w{1,12})|Host (\S{1,255}) not found: \d{1,2}\((\w{1,12})\)", line
    ):
        query.name, query.status = query.name or match[1] or match[3], match[2] or match[4]
    elif match := re.match(r"Name:\s{1,9}(\S{1,255})$", line):
        query.name, query.status = query.name or match[1], query.status or "NOERROR"
    elif re.match(r"Server:\s{1,9}\S", line):
        query.server = True
    elif re.search(
        r"connection timed out; no servers|communications error to .{1,80}timed out|DNS request timed out", line
    ):
        query.silent = True
    else:
        return bool(
            re.match(r";|Address(?:es)?:\s|Non-authoritative|Aliases?:|Using domain server|timeout was \d", line)
            or re.match(
                (
                    r"[\w.*-]{1,255}\s{1,60}\d{1,9}\s{1,9}IN\s{1,9}[A-Z]{1,9}\s|\S{1,255} is an alias for|"
                    r"\S{1,255} mail is"
                ),
                line,
            )
        )
    return True


def _closing(capture: Capture, query: _Query) -> list[ProbeResult]:
    """The result of a query that no address answered."""
    if query.answered or query.last < 0 or not (query.status or query.silent):
        return []
    outcome = Outcome.REPLY if query.status else Outcome.TIMEOUT
    reason = query.status or "no servers could be reached"
    return [_result(capture, query, query.first, query.last + 1, "", outcome, reason)]


def _result(
    capture: Capture, query: _Query, first: int, end: int, address: str, outcome: Outcome, reason: str
) -> ProbeResult:
    return ProbeResult(
        origin=capture.origin(first, end),
        trust=capture.trust,
        taken=capture.taken,
        probe=ProbeKind.DNS,
        source=capture.host,
        target=address,
        target_name=query.name,
        outcome=outcome,
        protocol="UDP",
        reason=reason,
    )
