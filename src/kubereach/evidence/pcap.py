"""Packet capture files as the lines that tcpdump prints for them, so that one reader knows packets.

A packet takes a line, and what a VXLAN packet carries another one. Reads pcap (micro- and nanoseconds, both byte
orders) and pcapng, of Ethernet, raw IP, loopback and Linux cooked captures (`-i any`); ARP, TCP, UDP, ICMP, ICMPv6,
VXLAN and IP in IP.
Bounded in packets and in tunnels; what is damaged ends the list, and says so in a line that no reader reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dpkt

MAGICS = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)
MOST_PACKETS = 50_000
_TUNNELS = 2
_VXLAN = frozenset({4789, 8472})
_ETHERNET, _NULL, _LOOP, _SLL, _SLL2 = 1, 0, 108, 113, 276
_RAW = frozenset({12, 14, 101, 228, 229})
_DIRECTIONS = {0: "In", 1: "B", 2: "M", 3: "P", 4: "Out"}
_FLAGS = ((0x01, "F"), (0x02, "S"), (0x04, "R"), (0x08, "P"), (0x10, "."), (0x20, "U"), (0x40, "E"), (0x80, "W"))
_UNREACHABLE = {
    0: "net {dst} unreachable",
    1: "host {dst} unreachable",
    2: "{dst} protocol {proto} unreachable",
    3: "{dst} {proto} port {port} unreachable",
    4: "{dst} unreachable - need to frag (mtu {mtu})",
    9: "net {dst} unreachable - admin prohibited",
    10: "host {dst} unreachable - admin prohibited",
    13: "host {dst} unreachable - admin prohibited filter",
}


def is_pcap(data: bytes) -> bool:
    """Whether `data` begins like a capture file."""
    return data.startswith(MAGICS)


def lines_of_pcap(data: bytes) -> list[str]:
    """One line per packet, in the words of `tcpdump -n -e -v`."""
    lines: list[str] = []
    try:
        for stamp, frame, link in islice(_frames(data), MOST_PACKETS):
            lines.extend(_line(stamp, frame, link).split("\n"))
    except Exception as error:  # noqa: BLE001 - dpkt raises whatever a damaged file makes it raise
        lines.append(f"(the capture file is damaged here: {type(error).__name__})")
    if len(lines) >= MOST_PACKETS:  # one line per packet at least
        lines.append(f"(only the first {MOST_PACKETS} packets were read)")
    return lines


def _frames(data: bytes) -> Iterator[tuple[float, bytes, int]]:
    from io import BytesIO

    from dpkt import pcap, pcapng

    kind = pcapng.Reader if data.startswith(MAGICS[-1]) else pcap.Reader
    reader = kind(BytesIO(data))
    link = reader.datalink()
    for stamp, frame in reader:
        yield float(stamp), bytes(frame[:65535]), link


def _line(stamp: float, frame: bytes, link: int) -> str:
    seconds = int(stamp) % 86400
    micros = int(stamp % 1 * 1_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{micros:06}"
    try:
        text = _frame(frame, link)
    except Exception:  # noqa: BLE001 - as above; one torn packet must not take the others with it
        text = ""
    return f"{clock} {text}" if text else f"({clock}: a packet of {len(frame)} octets that is none of the known ones)"


def _frame(frame: bytes, link: int) -> str:
    """The packet behind the header of its link."""
    if link == _ETHERNET:
        return _ethernet(frame, 0)
    if link == _SLL:
        direction = _DIRECTIONS.get(int.from_bytes(frame[0:2]), "?")
        return f"{direction} {_network(int.from_bytes(frame[14:16]), frame[16:], 0)}"
    if link == _SLL2:
        direction = _DIRECTIONS.get(frame[10], "?")
        return f"{direction} {_network(int.from_bytes(frame[0:2]), frame[20:], 0)}"
    if link in _RAW:
        return _ip(frame, 0)
    return _ip(frame[4:], 0) if link in {_NULL, _LOOP} else ""


def _ethernet(frame: bytes, depth: int) -> str:
    source, target = (":".join(f"{octet:02x}" for octet in frame[i : i + 6]) for i in (6, 0))
    kind, rest = int.from_bytes(frame[12:14]), frame[14:]
    while kind in {0x8100, 0x88A8} and len(rest) > 4:
        kind, rest = int.from_bytes(rest[2:4]), rest[4:]
    inner = _network(kind, rest, depth)
    name = {0x0800: "IPv4", 0x86DD: "IPv6", 0x0806: "ARP"}.get(kind, "unknown")
    head = f"{source} > {target}, ethertype {name} (0x{kind:04x}), length {len(frame)}: "
    return head + inner if inner else ""


def _network(kind: int, data: bytes, depth: int) -> str:
    if kind == 0x0806:
        return _arp(data)
    return _ip(data, depth) if kind in {0x0800, 0x86DD} else ""


def _arp(data: bytes) -> str:
    from dpkt.arp import ARP

    packet = ARP(data)
    if packet.hrd != 1 or packet.pro != 0x0800:
        return ""
    source, target = _address(packet.spa), _address(packet.tpa)
    if packet.op == 1:
        return f"ARP, Request who-has {target} tell {source}, length {len(data)}"
    mac = ":".join(f"{octet:02x}" for octet in packet.sha)
    return f"ARP, Reply {source} is-at {mac}, length {len(data)}" if packet.op == 2 else ""


def _address(raw: bytes) -> str:
    from ipaddress import ip_address

    return str(ip_address(raw))


def _ip(data: bytes, depth: int) -> str:
    """An IP packet with its head in parentheses, as -v prints it."""
    from dpkt.ip import IP
    from dpkt.ip6 import IP6

    version = data[0] >> 4
    packet: Any = IP(data) if version == 4 else IP6(data)
    if version == 4:
        head, body = f"IP (tos 0x{packet.tos:x}, ttl {packet.ttl}, id {packet.id}, length {packet.len})", packet
        fragment = packet.offset > 0
    else:
        head, body, fragment = f"IP6 (hlim {packet.hlim}, length {packet.plen})", packet, False
    ends = (_address(packet.src), _address(packet.dst))
    what = _fragment(packet, ends) if fragment else _transport(body.data, packet.p, ends, depth)
    return f"{head} {what}"


def _fragment(packet: dpkt.ip.IP, ends: tuple[str, str]) -> str:
    return f"{ends[0]} > {ends[1]}: ip-proto-{packet.p}"


def _transport(body: Any, protocol: int, ends: tuple[str, str], depth: int) -> str:  # noqa: ANN401 - dpkt has no types
    source, target = ends
    name = type(body).__name__
    if name == "TCP":
        flags = "".join(letter for bit, letter in _FLAGS if body.flags & bit) or "none"
        return f"{source}.{body.sport} > {target}.{body.dport}: Flags [{flags}], length {len(body.data)}"
    if name == "UDP":
        return _udp(body, source, target, depth)
    if name == "ICMP":
        return f"{source} > {target}: ICMP {_icmp(body)}, length {len(body)}"
    if name == "ICMP6":
        return f"{source} > {target}: ICMP6, {_icmp6(body)}, length {len(body)}"
    if protocol in {4, 41} and name in {"IP", "IP6"} and depth < _TUNNELS:
        inner = _transport(body.data, body.p, (_address(body.src), _address(body.dst)), _TUNNELS)
        return f"{source} > {target}: {'IP6' if name == 'IP6' else 'IP'} {inner}"
    return f"{source} > {target}: ip-proto-{protocol}"


def _udp(body: Any, source: str, target: str, depth: int) -> str:  # noqa: ANN401
    line = f"{source}.{body.sport} > {target}.{body.dport}: "
    data = bytes(body.data)
    if body.dport in _VXLAN and len(data) > 22 and data[0] & 0x08 and depth < _TUNNELS:
        return (
            f"{line}VXLAN, flags [I] (0x08), vni {int.from_bytes(data[4:7])}\n{_ethernet(data[8:], depth + 1)}".rstrip(
                "\n"
            )
        )
    return f"{line}UDP, length {len(data)}"


def _icmp(body: Any) -> str:  # noqa: ANN401
    if body.type == 8:
        return f"echo request, id {body.data.id}, seq {body.data.seq}"
    if body.type == 0:
        return f"echo reply, id {body.data.id}, seq {body.data.seq}"
    if body.type == 11:
        return "time exceeded in-transit"
    raw = bytes(body)
    quoted = raw[8:]
    target = _address(quoted[16:20])
    if body.type == 5:
        return f"redirect {target} to host {_address(raw[4:8])}"
    if body.type != 3:
        return f"type-#{body.type}"
    ports = quoted[(quoted[0] & 15) * 4 :]
    return _UNREACHABLE.get(body.code, "host {dst} unreachable").format(
        dst=target,
        proto={6: "tcp", 17: "udp"}.get(quoted[9], str(quoted[9])),
        port=int.from_bytes(ports[2:4]),
        mtu=int.from_bytes(raw[6:8]),
    )


def _icmp6(body: Any) -> str:  # noqa: ANN401
    raw = bytes(body)
    if body.type in {135, 136}:
        target = _address(raw[8:24])
        return (
            f"neighbor solicitation, who has {target}"
            if body.type == 135
            else f"neighbor advertisement, tgt is {target}"
        )
    return {
        128: "echo request",
        129: "echo reply",
        1: "destination unreachable",
        2: f"packet too big, mtu {int.from_bytes(raw[4:8])}",
        3: "time exceeded in-transit",
        137: "redirect",
    }.get(body.type, f"type-#{body.type}")
