"""Who listens: `ss -tlnp`, `netstat -tulpn`.

Reads
    ss and netstat of Linux, netstat of macOS and Windows (`-ano`), with and without the programs; sockets in other
    states are read and say nothing.
Ask
    ss -tlnp, on the node, as root.
Facts
    One Setting `socket tcp PORT` (or `udp`) per socket that waits for connections: the address (`*` for all) and, where
    it is shown, the program: `0.0.0.0 bird`, `127.0.0.1`.
Not read
    Queues, process numbers, connections.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, port_number, subject_of
from kubereach.model.address import canonical_address
from kubereach.model.fact import Setting

_END = r"(?:\[?[0-9a-fA-F:.*]{1,45}\]?(?:%[\w.-]{1,16})?|\*|localhost)[:.](?:\d{1,5}|\*|[a-z][\w-]{1,20})"
_STATES = (
    r"(?:LISTEN(?:ING)?|UNCONN|ESTAB(?:LISHED)?|TIME[-_]WAIT|SYN[-_]SENT|SYN[-_]RECV|CLOSE[-_]WAIT|FIN[-_]WAIT-?_?[12]"
    r"|LAST[-_]ACK|CLOSING|CLOSED?|SYN_RECEIVED|BOUND)"
)
COMMANDS = (
    r"(?:^|[\s/])ss(?:\s+-[a-zA-Z0-46]{1,12})+(?:\s|$)",
    r"(?:^|[\s/])netstat(?:\.exe)?\s+-(?![a-zA-Z]*[rRis])[a-zA-Z46]{1,12}(?:\s|$)",
)
SIGNATURES = (
    rf"(?:tcp|udp|u_str)?\s{{0,8}}(?:LISTEN|UNCONN)\s{{1,10}}\d{{1,7}}\s{{1,10}}\d{{1,7}}\s{{1,40}}{_END}\s",
    rf"(?:tcp|udp)[46]?\s{{1,8}}\d{{1,7}}\s{{1,8}}\d{{1,7}}\s{{1,8}}{_END}\s{{1,40}}{_END}\s",
    r"(?:Netid\s{1,9})?State\s{1,9}Recv-Q\s{1,9}Send-Q\s{1,40}Local Address:Port",
    r"Proto\s{1,4}Recv-Q\s{1,4}Send-Q\s{1,4}Local Address\s{1,30}(?:Foreign|\(state)",
)
ASKS = (Ask(command="ss -tlnp", where="node", privilege="root", gives="who listens on the port, and on 179"),)

_SS = rf"(?:(tcp|udp)\s+)?({_STATES})\s+\d{{1,9}}\s+\d{{1,9}}\s+({_END})\s*({_END})?(.{{0,600}})$"
_NETSTAT = rf"(tcp|udp)(?:[46]{{1,2}})?\s+\d{{1,9}}\s+\d{{1,9}}\s+({_END})\s+({_END})\s*({_STATES})?(.{{0,300}})$"
_WINDOWS = rf"\s{{1,6}}(TCP|UDP)\s+({_END})\s+({_END})\s*([A-ZÄÖÜ]{{3,16}}(?:_[A-Z0-9]{{1,12}})?)?\s*(\d{{0,8}})$"
_FURNITURE = (
    r"\s*(?:Netid\s+|State\s+Recv-Q|Proto\s+|Active (?:Internet|Connections)|\(No info could be read"
    r"|\(Not all processes|will not be shown|u_(?:str|dgr|seq)\s|nl\s"
    r"|p_(?:raw|dgr)\s|unix\s|Active UNIX|Recv-Q Send-Q|raw6?\s)"
)


def read(capture: Capture) -> Reading:
    """The listening sockets, and the lines that are no sockets."""
    facts: list[Setting] = []
    unread: list[int] = []
    for index, line in enumerate(readable(capture.lines)):
        line = line.rstrip()
        found = _socket(line, capture.command)
        if found is None:
            if not (is_noise(line) or re.match(_FURNITURE, line)):
                unread.append(index)
        elif found[0]:
            facts.append(_fact(capture, index, found))
    return Reading(tuple(facts), spans(unread))


def _socket(line: str, command: str) -> tuple[str, str, str] | None:
    """Protocol, local end and program of a socket; the protocol is "" for one that does not listen."""
    if match := re.match(_SS, line):
        protocol = match[1] or ("udp" if match[2] == "UNCONN" or re.search(r"\s-\w*u", command) else "tcp")
        program = re.search(r'users:\(\("([^"]{1,60})"', match[5])
        return protocol if match[2] in {"LISTEN", "UNCONN"} else "", match[3], program[1] if program else ""
    if match := re.match(_NETSTAT, line):
        program = re.search(r"\s\d{1,8}/([\w.:-]{1,60})", match[5])
        waits = match[4] == "LISTEN" or (match[1] == "udp" and match[3].endswith("*"))
        return match[1] if waits else "", match[2], program[1].rstrip(":") if program else ""
    if match := re.match(_WINDOWS, line):
        waits = match[3].endswith(":0") or match[3] == "*:*"  # the word for LISTENING is translated
        return match[1].lower() if waits else "", match[2], ""
    return None


def _fact(capture: Capture, index: int, found: tuple[str, str, str]) -> Setting:
    protocol, end, program = found
    host, _, port = end.rpartition(":") if ":" in end else end.rpartition(".")
    address = canonical_address(host) or host
    shown = "*" if address in {"0.0.0.0", "::", "*", "[::]", ""} else address
    return Setting(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        subject=subject_of(capture.host),
        attribute=f"socket {protocol} {port_number(port) or port}",
        value=f"{shown} {program}".strip(),
    )
