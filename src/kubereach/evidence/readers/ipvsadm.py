"""The kernel's virtual servers: `ipvsadm -Ln`.

Reads
    `-Ln`, `--stats`, `--rate`, `-Lnc` (connections); IPv4 and IPv6, with and without flags; excerpts
    without the head.
Ask
    ipvsadm -Ln, on the node.
Facts
    One VirtualServer with all its destinations (none is a fact too: the kernel answers port unreachable), and one
    VirtualServerListing, complete when the command is known and has no filter and no pipe. A connection is a LogEvent
    `connection` with protocol, expire, state, source, virtual and destination.
Not read
    Counters of --stats and --rate, firewall-mark services, the rules of `ipvsadm -Sn`.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, is_piped, port_number, words
from kubereach.model.address import canonical_address
from kubereach.model.fact import AnyFact, LogEvent, RealServer, VirtualServer, VirtualServerListing

COMMANDS = (r"(?:^|[\s/])ipvsadm\s.{0,40}?(?:-\w{0,4}[Ll]|--list)",)
SIGNATURES = (
    r"IP Virtual Server version \d",
    r"Prot LocalAddress:Port",
    (
        r"(?:TCP|UDP|SCTP)\s{1,2}(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]{2,45}\]):\d{1,5} (?:rr|wrr|lc|wlc|"
        r"lblc|lblcr|dh|sh|sed|nq|mh|fo|ovf)\b"
    ),
    r"\s{2}-> (?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]{2,45}\]):\d{1,5}\s{1,40}(?:Masq|Local|Route|Tunnel)\b",
    r"IPVS connection entries\s*$",
)
ASKS = (
    Ask(
        command="ipvsadm -Ln",
        where="node",
        privilege="root",
        gives="which service addresses the node serves, and with which pods",
    ),
)

_END = r"(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.%\w]{2,60}\]|[\w.-]{1,255}):([\w-]{1,20})"
_HEAD = (
    r"IP Virtual Server version|Prot LocalAddress|\s*-> RemoteAddress|IPVS connection entries|pro expire state|"
    r"IPVS timeout"
)


class _Server(Struct):
    """One virtual server as far as it has been read; `address` is "" for one by firewall mark."""

    first: int
    last: int
    protocol: str
    address: str
    port: int
    scheduler: str
    real: list[RealServer] = field(default_factory=list)


def read(capture: Capture) -> Reading:
    """The virtual servers or connections, and the lines that are not ipvsadm's."""
    servers: list[_Server] = []
    connections: list[AnyFact] = []
    unread: list[int] = []
    headed = False
    for index, line in enumerate(capture.lines):
        line = line.rstrip()
        if connection := _connection(capture, index, line):
            connections.append(connection)
        elif server := _server(index, line):
            servers.append(server)
        elif servers and (real := _real(line)):
            servers[-1].real.append(real)
            servers[-1].last = index
        elif re.match(_HEAD, line):
            headed = headed or line.startswith("Prot ")
        elif not is_noise(line):
            unread.append(index)
    facts: list[AnyFact] = [_fact(capture, server) for server in servers if server.address]
    asked = _asks_for_servers(capture.command)
    if servers or headed:
        facts.append(_listing(capture, servers, complete=asked and headed))
    return Reading((*facts, *connections), spans(unread))


def _asks_for_servers(command: str) -> bool:
    """Whether `command` lists all virtual servers, unfiltered."""
    found = words(command)
    flags = [word for word in found[1:] if word.startswith("-")]
    if not found or not found[0].endswith("ipvsadm") or is_piped(command):
        return False
    short = "".join(flag[1:] for flag in flags if not flag.startswith("--"))
    return (
        ("L" in short or "l" in short or "--list" in flags)
        and not set("ctufT") & set(short)
        and "--connection" not in flags
    )


def _server(index: int, line: str) -> _Server | None:
    """`TCP  ADDRESS:PORT SCHEDULER FLAGS`, or counters in place of the scheduler, or `FWM  MARK`."""
    if re.match(r"FWM\s{1,2}\d{1,10} ", line):
        return _Server(index, index, "FWM", "", 0, "")
    match = re.match(rf"(TCP|UDP|SCTP)\s{{1,2}}{_END}(?:\s{{1,60}}(\S.{{0,200}}))?$", line)
    if match is None:
        return None
    address, port = canonical_address(match[2]) or match[2], port_number(match[3])
    if port is None:
        return None
    scheduler = re.match(r"[a-z]{2,6}\b", match[4] or "")
    return _Server(index, index, match[1], address, port, scheduler[0] if scheduler else "")


def _real(line: str) -> RealServer | None:
    """`  -> ADDRESS:PORT  METHOD WEIGHT ACTIVE INACTIVE`, or five counters."""
    match = re.match(rf"\s{{0,6}}-> {_END}(?:\s{{1,60}}(\S.{{0,200}}))?$", line)
    port = port_number(match[2]) if match else None
    if match is None or port is None:
        return None
    address = canonical_address(match[1]) or match[1]
    columns = re.match(r"(Masq|Local|Route|Tunnel)(?:\s+(\d{1,9})\s+(\d{1,9})\s+(\d{1,9}))?", match[3] or "")
    if columns is None:
        return RealServer(address=address, port=port)
    if columns[2] is None:
        return RealServer(address=address, port=port, method=columns[1])
    weight, active, inactive = int(columns[2]), int(columns[3]), int(columns[4])
    return RealServer(address=address, port=port, method=columns[1], weight=weight, active=active, inactive=inactive)


def _connection(capture: Capture, index: int, line: str) -> LogEvent | None:
    """`TCP 00:57  SYN_RECV    CLIENT:PORT VIRTUAL:PORT POD:PORT`."""
    ends = r"(\S{3,70}:\S{1,20})"
    match = re.match(
        (
            rf"(TCP|UDP|SCTP|ICMP|IP)\s{{1,3}}(\d{{1,5}}:\d\d)\s{{1,3}}"
            rf"(\S{{1,16}})\s{{1,12}}{ends}\s{{1,20}}{ends}\s{{1,20}}{ends}"
        ),
        line,
    )
    if match is None:
        return None
    names = ("protocol", "expire", "state", "source", "virtual", "destination")
    return LogEvent(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        program="ipvsadm",
        event="connection",
        fields=tuple(zip(names, match.groups(), strict=True)),
    )


def _fact(capture: Capture, server: _Server) -> VirtualServer:
    return VirtualServer(
        origin=capture.origin(server.first, server.last + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        address=server.address,
        port=server.port,
        protocol=server.protocol,
        scheduler=server.scheduler,
        real_servers=tuple(server.real),
    )


def _listing(capture: Capture, servers: list[_Server], *, complete: bool) -> VirtualServerListing:
    last = servers[-1].last + 1 if servers else None
    return VirtualServerListing(
        origin=capture.origin(0, last),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        complete=complete,
    )
