"""Port scans of nmap.

Reads
    nmap's normal output (5 to 7.9x): one or more hosts, with or without `--reason` and `-sV`, TCP and UDP, also when
    the host seems down; and the grepable output of `-oG -`.
Ask
    nmap -n -Pn --reason -p PORT ADDRESS, from the client.
Facts
    One ProbeResult per port shown (tcp or udp: open, closed, filtered; a UDP port that did not answer is a timeout with
    the reason `open|filtered`). "Not shown" and "All ports are" give one with port None. A "received echo-reply" or a
    MAC address gives a ping or ARP reply; "Host seems down" a ping timeout. "Host is up" alone gives nothing: any
    answer counts as up, and with -Pn none is needed.
Not read
    Script output, versions of services, guesses about the operating system. For XML see nmap_xml.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import address_and_name, is_noise, operands, vantage, words
from kubereach.model.fact import AnyFact, Outcome, ProbeKind, ProbeResult

COMMANDS = (r"(?:^|[\s/])nmap\s",)
SIGNATURES = (
    r"Starting Nmap \d",
    r"Nmap scan report for \S",
    r"Nmap done: \d",
    r"Not shown: \d{1,5} (?:closed|filtered|open)",
    r"PORT\s{1,12}STATE\s{1,14}SERVICE",
    r"\d{1,5}/(?:tcp|udp|sctp)\s{1,9}(?:open|closed|filtered|unfiltered|open\|filtered|closed\|filtered)\s{1,14}\S",
)
ASKS = (
    Ask(
        command="nmap -n -Pn --reason -p PORT ADDRESS",
        where="client",
        gives="whether the port answers, and with what",
    ),
)

_WITH_VALUE = (
    "-p -T -e -S -g -D -m -iL -oN -oG -oX -oA -PS -PA --source-port --ttl --max-retries --host-timeout "
    "--script --scan-delay --min-rate --max-rate --top-ports --exclude --data-length --max-rtt-timeout "
    "--initial-rtt-timeout --min-rtt-timeout --port-ratio --stats-every --dns-servers --version-intensity"
)
_VALUED = frozenset(_WITH_VALUE.split())
_OUTCOMES = {
    "open": Outcome.OPEN,
    "closed": Outcome.CLOSED,
    "filtered": Outcome.FILTERED,
    "closed|filtered": Outcome.FILTERED,
    "open|filtered": Outcome.TIMEOUT,
    "unfiltered": Outcome.REPLY,
}
_SAYS_NOTHING = (
    r"Nmap done:|Host is up|Starting |PORT\s+STATE|Note: Host seems down|rDNS record for|Other addresses for|Service "
    r"(?:detection|Info)|Read data files|\s*Raw packets sent|\|[ _]|Initiating |Completed |Scanning |Discovered |"
    r"Host discovery disabled|Some closed ports may|Increasing send delay|Stats: |[A-Za-z ]{3,40} Timing: |RTTVAR has|"
    r"NSE: |Network Distance|OS details|OS CPE|OS fingerprint|Running|Device type|Aggressive OS|No exact OS|"
    r"Too many fingerprints|Warning: |WARNING: |OS and Service detection|Scanned at |Reason: |# Nmap|Overall sending|"
    r"Nmap finished|Ports scanned:|SF|Failed to resolve|Uptime guess|TCP Sequence|IP ID Seq|OS detection performed|"
    r"TRACEROUTE|HOP RTT|\d{1,3}\s+[\d.]+ ms\s"
)


class _Host(Struct):
    """The host that the following lines are about."""

    address: str = ""
    name: str = ""
    taken: str = ""
    reasons: bool = False


def read(capture: Capture) -> Reading:
    """The ports, and the lines that are not nmap's."""
    host = _Host()
    host.address, host.name = _target_of_command(capture.command)
    facts: list[AnyFact] = []
    unread: list[int] = []
    for index, line in enumerate(capture.lines):
        found = _line(capture, host, index, line)
        if found is None:
            unread.append(index)
        else:
            facts.extend(found)
    return Reading(tuple(facts), spans(unread))


def _target_of_command(command: str) -> tuple[str, str]:
    """The target when the command names exactly one."""
    targets = operands(words(command), _VALUED)
    return address_and_name(targets[0]) if len(targets) == 1 else ("", "")


def _line(capture: Capture, host: _Host, index: int, line: str) -> list[AnyFact] | None:
    """The facts of one line, None when it is not nmap's."""
    line = line.rstrip()
    if row := re.match(r"(\d{1,5})/(tcp|udp|sctp)\s+([a-z|]+)(?:\s+(\S+)(?:\s+(.{1,300}))?)?$", line):
        return _port(capture, host, index, row)
    if match := re.match(r"Starting Nmap .{0,60}? at (.{10,40})$", line):
        host.taken = match[1].strip()
        return []
    if match := re.match(r"(?:Nmap scan report for|Interesting ports on) (.{1,300})$", line):
        return _report(capture, host, index, match[1])
    if match := re.match(
        r"All \d{1,5} scanned ports on (\S{1,255}(?: \([^)]{2,60}\))?) are (?!in ignored)(.{1,300})$", line
    ):
        _report(capture, host, index, match[1])
        return _not_shown(capture, host, index, match[2])
    if match := re.match(r"Not shown: (.{1,300})$", line):
        return _not_shown(capture, host, index, match[1])
    if line.startswith("Host: "):
        return _grepable(capture, host, index, line)
    if line.startswith("PORT "):
        host.reasons = "REASON" in line
    return _host_line(capture, host, index, line)


def _host_line(capture: Capture, host: _Host, index: int, line: str) -> list[AnyFact] | None:
    """Lines about the whole host."""
    if match := re.match(r"Host is up, received (echo-reply|arp-response)(?: ttl (\d{1,3}))?", line):
        kind = ProbeKind.PING if match[1] == "echo-reply" else ProbeKind.ARP
        return [_result(capture, host, index, probe=kind, outcome=Outcome.REPLY, ttl=match[2], reason=match[1])]
    if match := re.match(r"MAC Address: ([0-9A-Fa-f:]{17})", line):
        return [_result(capture, host, index, probe=ProbeKind.ARP, outcome=Outcome.REPLY, macs=(match[1].lower(),))]
    if "Host seems down" in line[:40]:
        return [_result(capture, host, index, probe=ProbeKind.PING, outcome=Outcome.TIMEOUT, reason="host seems down")]
    if match := re.match(
        r"(?:setup_target|sendto in \S{1,40}): .{0,200}?(No route to host|Network is unreachable)", line
    ):
        return [_result(capture, host, index, probe=ProbeKind.TCP, outcome=Outcome.UNREACHABLE, reason=match[1])]
    if is_noise(line) or re.match(_SAYS_NOTHING, line) or " are in ignored states" in line[:400]:
        return []
    return None


def _report(capture: Capture, host: _Host, index: int, text: str) -> list[AnyFact]:
    """`NAME (ADDRESS)` or `ADDRESS`, with `[host down, received no-response]` for a host that did not answer."""
    down = re.search(r"\[host down(?:, received (\S{1,40}))?\]", text)
    text = text[: down.start()].strip() if down else text.strip().rstrip(":")
    named = re.match(r"(\S{1,255}) \(([^)]{2,60})\)$", text)
    host.address, host.name = address_and_name(named[2] if named else text)
    if named:
        host.name = named[1]
    if not down:
        return []
    reason = down[1] or "host down"
    return [_result(capture, host, index, probe=ProbeKind.PING, outcome=Outcome.TIMEOUT, reason=reason)]


def _port(capture: Capture, host: _Host, index: int, row: re.Match[str]) -> list[AnyFact] | None:
    """One row of the table; the columns after the service are a reason only when the table's head says so."""
    outcome = _OUTCOMES.get(row[3])
    if outcome is None or int(row[1]) > 65535:
        return None
    reason, ttl = "", None
    if row[5] and (host.reasons or re.match(r"(?:syn-ack|reset|no-response|conn-refused|\S+-unreach)\b", row[5])):
        match = re.match(r"([a-z]\S{1,40}(?: from [0-9a-fA-F.:]{2,45})?)(?: ttl (\d{1,3}))?", row[5])
        reason, ttl = (match[1], match[2]) if match else ("", None)
    if "|" in row[3]:
        reason = reason or row[3]
    probe = ProbeKind.UDP if row[2] == "udp" else ProbeKind.TCP
    protocol = row[2].upper()
    return [_result(capture, host, index, probe, outcome, port=int(row[1]), protocol=protocol, reason=reason, ttl=ttl)]


def _not_shown(capture: Capture, host: _Host, index: int, text: str) -> list[AnyFact]:
    """`997 closed tcp ports (conn-refused), 1 filtered …`, or `filtered` after "All 1000 scanned ports"."""
    facts: list[AnyFact] = []
    form = (
        r"(?:\d{1,5} )?(open\|filtered|closed|filtered|unfiltered|open)(?: (tcp|udp|"
        r"sctp))?(?: ports?)?(?: \(([^)]{1,60})\))?"
    )
    for match in re.finditer(form, text):
        protocol = (match[2] or "tcp").upper()
        probe = ProbeKind.UDP if protocol == "UDP" else ProbeKind.TCP
        reason = (match[3] or "").strip() or (match[1] if "|" in match[1] else "")
        facts.append(_result(capture, host, index, probe, _OUTCOMES[match[1]], protocol=protocol, reason=reason))
    return facts


def _grepable(capture: Capture, host: _Host, index: int, line: str) -> list[AnyFact] | None:
    """`Host: 192.0.2.1 (name)	Ports: 22/open/tcp//ssh///, 80/filtered/tcp//http///`."""
    match = re.match(r"Host: ([0-9a-fA-F.:]{2,45}) \(([^)]{0,255})\)\s", line)
    if match is None:
        return None
    host.address, host.name = address_and_name(match[1])[0], match[2]
    facts: list[AnyFact] = []
    for port, state, protocol in re.findall(r"\b(\d{1,5})/([a-z|]{4,16})/(tcp|udp|sctp)/", line):
        if state in _OUTCOMES and int(port) <= 65535:
            probe = ProbeKind.UDP if protocol == "udp" else ProbeKind.TCP
            facts.append(
                _result(capture, host, index, probe, _OUTCOMES[state], port=int(port), protocol=protocol.upper())
            )
    return facts


def _result(
    capture: Capture,
    host: _Host,
    index: int,
    probe: ProbeKind,
    outcome: Outcome,
    *,
    port: int | None = None,
    protocol: str = "",
    reason: str = "",
    ttl: str | None = None,
    macs: tuple[str, ...] = (),
) -> ProbeResult:
    """A result about the present host, from one line."""
    return ProbeResult(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=host.taken or capture.taken,
        probe=probe,
        source=vantage(capture.host, ""),
        target=host.address,
        target_name=host.name,
        outcome=outcome,
        port=port,
        protocol=protocol or {ProbeKind.PING: "ICMP", ProbeKind.ARP: "ARP"}.get(probe, "TCP"),
        reason=reason,
        reply_ttls=(int(ttl),) if ttl else (),
        macs=macs,
    )
