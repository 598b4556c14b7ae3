"""Packets as tcpdump prints them.

Reads
    One-line and `-v` two-line form, with and without `-e`, `-q`, `-i any` (interface and direction columns), every time
    stamp (`-t` to `-tttt`), VLAN tags; ARP, ICMP, TCP, UDP and IPv6; VXLAN and IP-in-IP with the packet inside; the
    banner and the counts at the end.
Ask
    tcpdump -n -i any host ADDRESS, on the node.
Facts
    Packets, folded: one Packet with a count for all that are equal but for time, sequence numbers and length. `mac` is
    the sender's with -e, and the owner in an ARP reply. Neighbour discovery is told as ARP with `info` "ndp"; a packet
    inside a tunnel carries the tunnel's name in `info`. "0 packets captured" gives a capture result not-seen, when the
    filter names a host, or ports alone.
Not read
    Payloads, hexadecimal dumps, options.
"""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import asdict

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, option, port_number, words
from kubereach.model.address import canonical_address
from kubereach.model.fact import AnyFact, Outcome, Packet, ProbeKind, ProbeResult

COMMANDS = (r"(?:^|[\s/])(?:tcpdump|tshark)\b",)
SIGNATURES = (
    r"(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{6,9} .{0,160}?\b(?:IP6? |ARP, |ethertype )",
    r"\d{9,10}\.\d{6} .{0,160}?\b(?:IP6? |ARP, |ethertype )",
    r"(?:tcpdump: )?listening on \S{1,32}, link-type ",
    r"tcpdump: (?:verbose output suppressed|data link type|WARNING)",
    r"dropped privs to tcpdump",
    r"\d{1,9} packets (?:captured|received by filter|dropped by kernel)",
    r"\s{2,8}[0-9a-fA-F.:]{3,45}(?:\.[\w-]{1,20})? > [0-9a-fA-F.:]{3,45}(?:\.[\w-]{1,20})?: \S",
)
ASKS = (
    Ask(
        command="tcpdump -n -i any -c 40 host ADDRESS",
        where="node",
        privilege="root",
        gives="whether the packets arrive, where they go on to, and what comes back",
    ),
)

_STAMP = r"(?:(\d{4}-\d\d-\d\d )?(\d\d:\d\d:\d\d(?:\.\d{1,9})?)|(\d{9,10}\.\d{6,9})|(\d{1,3}:\d\d:\d\d\.\d{6}))\s{1,3}"
_MAC = r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}"
# Linux' own port for VXLAN, 8472, is OTV's to tcpdump (print-udp.c, print-otv.c).
_VXLAN = r"(?:VXLAN, flags \[.{1,4}\] \(0x[0-9a-f]{2}\), vni|OTV, flags .{4,40}, instance) (\d{1,9})"
_INFO = 120


class _Frame(Struct):
    """What is known of a packet before its addresses: the columns in front, and the IP header of -v."""

    start: int
    taken: str = ""
    interface: str = ""
    direction: str = ""
    mac: str = ""
    ttl: int | None = None
    info: str = ""


class _Key(Struct, frozen=True):
    """What makes packets equal: every field of the fact but its origin, time and count."""

    what: str
    source: str
    destination: str
    source_port: int | None
    destination_port: int | None
    flags: str
    mac: str
    info: str
    interface: str
    direction: str
    ttl: int | None


class _Fold(Struct):
    """Equal packets, counted; `key` is what makes them equal."""

    key: _Key
    taken: str
    first: int
    last: int
    count: int


class _Scan(Struct):
    """The state between lines: the folds so far, and the packet that waits for its second line."""

    folds: dict[_Key, _Fold]
    extra: list[AnyFact]
    interface: str = ""
    waiting: _Frame | None = None
    previous: _Frame | None = None
    quoting: bool = False
    inside: str = ""


def read(capture: Capture) -> Reading:
    """The folded packets, and the lines that are not tcpdump's."""
    named = option(words(capture.command), "-i", "--interface") or ""
    if clustered := re.search(r"(?:^|\s)-[A-Za-z#]{1,12}i\s{0,4}([\w.@:+-]{1,32})", capture.command):
        named = named or clustered[1]  # `tcpdump -eni eth0`
    scan = _Scan(folds={}, extra=[], interface="" if named == "any" else named)
    unread = [index for index, line in enumerate(capture.lines) if not _line(capture, scan, index, line.rstrip())]
    facts: list[AnyFact] = [_packet(capture, fold) for fold in scan.folds.values()]
    return Reading((*facts, *scan.extra), spans(unread))


def _line(capture: Capture, scan: _Scan, index: int, line: str) -> bool:
    """Whether `line` is tcpdump's; what it says goes into `scan`."""
    line = line.removeprefix("^C")
    if is_noise(line):
        return True
    if stamp := re.match(_STAMP, line):
        scan.waiting, scan.previous, scan.quoting, scan.inside = None, None, False, ""
        frame = _Frame(start=index, taken=stamp[0].strip(), interface=scan.interface)
        return _columns(scan, index, frame, line[stamp.end() :])
    if line[0] in " \t":
        return _continuation(scan, index, line)
    if scan.inside and re.match(rf"(?:IP6? |ARP, |{_MAC} > )", line):
        frame = _Frame(start=index, interface=scan.interface, info=scan.inside)
        if scan.previous:
            frame.taken, frame.interface = scan.previous.taken, scan.previous.interface
            frame.direction = scan.previous.direction
        return _columns(scan, index, frame, line)
    return _banner(capture, scan, index, line)


def _columns(scan: _Scan, index: int, frame: _Frame, text: str) -> bool:
    """The columns in front of the packet: interface and direction, MAC addresses, tag, protocol."""
    if match := re.match(
        r"(?:(\S{1,16})\s{1,14})?(In|Out|B|M|P|\?)\s{1,3}(?=IP|ARP|ifindex|[0-9a-f]{2}:|ethertype|\()", text
    ):
        frame.interface, frame.direction = match[1] or frame.interface, match[2]
        text = text[match.end() :]
    if match := re.match(
        rf"(?:ifindex \d{{1,9}} )?({_MAC})(?: \([^)]{{1,40}}\))?(?: > (?:{_MAC}|\S{{1,20}})(?: \([^)]{{1,40}}\))?,)?\s",
        text,
    ):
        frame.mac = match[1]
        text = text[match.end() :]
    arp = False
    while match := re.match(
        r"(?:ethertype ([\w.-]{2,12}),?(?: \(0x[0-9a-f]{4}\))?,?|length \d{1,6}:|vlan \d{1,4},|p \d,|DEI,|802\.3,) ?",
        text,
    ):
        arp = arp or match[1] == "ARP"
        text = text[match.end() :]
    if match := re.match(r"(?:ARP|arp|RARP),? ", text):
        arp, text = True, text[match.end() :]
    if arp:
        return _arp(scan, index, frame, text)
    text = re.sub(r"^IP6? ", "", text)
    if text.startswith("("):
        return _verbose(scan, index, frame, text)
    return _packet_line(scan, index, frame, text)


def _verbose(scan: _Scan, index: int, frame: _Frame, text: str) -> bool:
    """The first line of the -v form; IPv6 goes on in the same line, IPv4 in the next one."""
    if match := re.search(r"\b(?:ttl|hlim) (\d{1,3})\b", text[:200]):
        frame.ttl = int(match[1])
    scan.waiting = frame
    rest = re.match(r"\((?:[^()]|\([^()]{0,60}\)){1,300}\) (\S.{0,2000})$", text)
    if rest and " > " in rest[1]:
        return _packet_line(scan, index, frame, rest[1])
    return text.startswith(("(tos", "(class", "(hlim", "(flowlabel"))


def _continuation(scan: _Scan, index: int, line: str) -> bool:
    """An indented line: the second half of a packet, the packet that an ICMP error quotes, or a payload."""
    text = line.strip()
    if text.startswith(("IP ", "IP6 ")):
        scan.waiting = None
        if scan.quoting or not scan.inside:
            return scan.previous is not None
        return _columns(scan, index, _Frame(start=index, interface=scan.interface, info=scan.inside), text)
    if scan.quoting:
        return True
    frame = scan.waiting
    if frame is None and scan.previous is None and re.match(r"\S{3,60} > \S{3,60}: \S", text):
        frame = _Frame(start=index, interface=scan.interface)  # the head of an excerpt is cut off
    if frame is not None:
        return _packet_line(scan, index, frame, text)
    return scan.previous is not None


def _banner(capture: Capture, scan: _Scan, index: int, line: str) -> bool:
    """What tcpdump says of itself."""
    if match := re.match(r"(?:tcpdump: )?listening on (\S{1,32}?),? (?:link-type|\()", line):
        scan.interface = "" if match[1] == "any" else match[1]
        return True
    if re.match(r"0 packets captured", line):
        scan.extra.extend(_nothing_seen(capture, index))
        return True
    return bool(
        re.match(
            r"\d{1,9} packets? (?:captured|received by filter|dropped by)|tcpdump: |reading from file|dropped privs|"
            r"Warning: interface names|Got \d|# tcpdump |\d{1,9} packets dropped",
            line,
        )
    )


def _nothing_seen(capture: Capture, index: int) -> list[AnyFact]:
    """A capture that saw nothing, when its filter says what it waited for: a host, or ports of any host."""
    command = " ".join(words(capture.command))
    host = re.search(r"\b(?:host|dst|src) ([0-9a-fA-F.:]{3,45})\b", command)
    ports = [port_number(p) for p in re.findall(r"\bport (\w{1,16})", command)]
    if host is None:
        plain = re.search(r"\b(?:host|net|src|dst|not|ether|vlan|and)\b", command) is None
        return [_not_seen(capture, index, "", p) for p in ports if plain and p is not None]
    address = canonical_address(host[1])
    return [_not_seen(capture, index, address, ports[0] if ports else None)] if address else []


def _not_seen(capture: Capture, index: int, target: str, port: int | None) -> ProbeResult:
    udp = re.search(r"\budp port \d", capture.command) is not None
    return ProbeResult(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        probe=ProbeKind.CAPTURE,
        source="",
        target=target,
        outcome=Outcome.NOT_SEEN,
        port=port,
        protocol="ARP" if re.search(r"\barp\b", capture.command) else "UDP" if udp else "TCP",
        at=capture.host,
        reason="0 packets captured",
    )


def _arp(scan: _Scan, index: int, frame: _Frame, text: str) -> bool:
    """ARP, after its name and the lengths of -v."""
    text = re.sub(r"^Ethernet \(len \d\), IPv4 \(len \d\), ", "", text)
    if match := re.match(
        r"(?:Request )?who-has (\S{1,60}?)(?: \([^)]{1,40}\))? tell (\S{1,60}?)(?: \([^)]{1,40}\))?(?:,|$)", text
    ):
        return _add(scan, index, frame, what="arp-request", source=match[2], destination=match[1], mac=frame.mac)
    if match := re.match(rf"(?:Reply )?(\S{{1,60}}) is-at ({_MAC})", text):
        return _add(scan, index, frame, what="arp-reply", source=match[1], destination=match[1], mac=match[2])
    if match := re.match(r"(Announcement|Probe) (\S{1,60}?)(?:,|$)", text):
        source = match[2] if match[1] == "Announcement" else ""
        return _add(
            scan,
            index,
            frame,
            what="arp-request",
            source=source,
            destination=match[2],
            mac=frame.mac,
            info=match[1].lower(),
        )
    return False


def _packet_line(scan: _Scan, index: int, frame: _Frame, text: str) -> bool:
    """`SOURCE > DESTINATION: DETAILS`."""
    match = re.match(r"([^\s>]{1,255}) > ([^\s>]{1,255}): ?(.{0,4000})$", text)
    if match is None:
        return False
    scan.waiting, details = None, match[3]
    ported = not re.match(r"ICMP|IP6? |GRE|ESP|AH\(|VRRP|OSPF|igmp|PIM|IGMP", details)
    source, source_port = _end(match[1], ported)
    destination, destination_port = _end(match[2], ported)
    what, flags, info = _kind(details, ported=source_port is not None or destination_port is not None)
    if what == "arp-request" or what == "arp-reply":
        return _neighbour_discovery(scan, index, frame, source, what, info)
    _add(
        scan,
        index,
        frame,
        what=what,
        source=source,
        destination=destination,
        source_port=source_port,
        destination_port=destination_port,
        flags=flags,
        info=info,
        mac=frame.mac,
    )
    scan.quoting = what in {"icmp-unreachable", "icmp-time-exceeded", "icmp-redirect"}
    if what in {"vxlan", "ipip"}:
        scan.inside = info.partition(",")[0] or what
    return what != "ipip" or _inner(scan, index, frame, details)


def _inner(scan: _Scan, index: int, frame: _Frame, details: str) -> bool:
    """The packet inside an IP-in-IP packet, when it stands in the same line."""
    text = re.sub(r"^IP6? ", "", details)
    inner = _Frame(
        start=index, taken=frame.taken, interface=frame.interface, direction=frame.direction, mac=frame.mac, info="ipip"
    )
    if text.startswith("("):
        ttl = re.search(r"\bttl (\d{1,3})\b", text[:200])
        inner.ttl = int(ttl[1]) if ttl else None
        scan.waiting = inner
        return True
    # One level only: tunnels in tunnels say nothing more here.
    return True if text.count(" > ") > 1 else _packet_line(scan, index, inner, text)


def _neighbour_discovery(scan: _Scan, index: int, frame: _Frame, source: str, what: str, text: str) -> bool:
    """ICMPv6's ARP, told in ARP's words."""
    if what == "arp-reply":
        source = text
    return _add(scan, index, frame, what=what, source=source, destination=text, mac=frame.mac, info="ndp")


def _kind(details: str, *, ported: bool) -> tuple[str, str, str]:
    """What the packet is, its TCP flags, and what else is worth saying."""
    if match := re.match(r"Flags \[([^\]]{0,10})\]", details):
        return "tcp", "" if match[1] == "none" else match[1], ""
    if details.startswith("tcp "):
        return "tcp", "", ""
    if details.startswith("ICMP"):
        return _icmp(re.sub(r"^ICMP6?,? ", "", details))
    if match := re.search(_VXLAN, details[:200]):
        return "vxlan", "", f"vxlan vni {match[1]}{_checksum(details)}"
    if re.match(r"IP6? ", details):
        return "ipip", "", "ipip"
    if ported:
        return "udp", "", _checksum(details).removeprefix(", ")
    return "other", "", details[:_INFO]


def _checksum(details: str) -> str:
    """What -v says of a UDP checksum (tcpdump print-udp.c)."""
    found = re.match(r"\[(bad udp cksum|udp sum ok|no cksum)\b", details)
    return f", {found[1]}" if found else ""


def _icmp(text: str) -> tuple[str, str, str]:
    """An ICMP message in tcpdump's words, without identifiers and lengths."""
    info = re.sub(r",? ?length \d{1,6}.{0,400}$", "", text)[:_INFO]
    if match := re.match(
        r"neighbor (solicitation, .{0,40}?who has|advertisement, .{0,40}?tgt is) ([0-9a-fA-F:.%\w]{2,60})", info
    ):
        return ("arp-request" if match[1][0] == "s" else "arp-reply"), "", match[2]
    for start, what in (
        ("echo request", "icmp-echo-request"),
        ("echo reply", "icmp-echo-reply"),
        ("redirect", "icmp-redirect"),
        ("time exceeded", "icmp-time-exceeded"),
    ):
        if info.startswith(start):
            return what, "", "" if "echo" in what else info
    if "unreachable" in info or "packet too big" in info:
        return "icmp-unreachable", "", info
    return "other", "", f"icmp {info}"


def _end(text: str, ported: bool) -> tuple[str, int | None]:  # noqa: FBT001  a flag of the line, not of the caller
    """An address with its port, which tcpdump joins with a dot."""
    text = text.rstrip(",")
    whole = canonical_address(text)
    if whole is not None and (":" in text or text.count(".") == 3):
        return whole, None
    host, dot, port = text.rpartition(".")
    number = port_number(port) if dot and ported else None
    if number is None and canonical_address(host) is None:
        return text, None
    return canonical_address(host) or host, number


def _add(
    scan: _Scan,
    index: int,
    frame: _Frame,
    *,
    what: str,
    source: str = "",
    destination: str = "",
    source_port: int | None = None,
    destination_port: int | None = None,
    flags: str = "",
    mac: str = "",
    info: str = "",
) -> bool:
    """Counts the packet; always True, for the line is read."""
    source, destination = canonical_address(source) or source, canonical_address(destination) or destination
    key = _Key(
        what=what,
        source=source,
        destination=destination,
        source_port=source_port,
        destination_port=destination_port,
        flags=flags,
        mac=mac,
        info=info or frame.info,
        interface=frame.interface,
        direction=frame.direction,
        ttl=frame.ttl,
    )
    scan.previous = frame
    if fold := scan.folds.get(key):
        fold.count += 1
        fold.last = index
    else:
        scan.folds[key] = _Fold(key=key, taken=frame.taken, first=frame.start, last=index, count=1)
    return True


def _packet(capture: Capture, fold: _Fold) -> Packet:
    """The fold as a fact."""
    return Packet(
        origin=capture.origin(fold.first, fold.last + 1),
        trust=capture.trust,
        taken=fold.taken or capture.taken,
        device=capture.host,
        count=fold.count,
        **asdict(fold.key),
    )
