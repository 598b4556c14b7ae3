"""Capture files become the packets that tcpdump's text gives."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import dpkt
import pytest

from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.evidence.pcap import MOST_PACKETS, lines_of_pcap
from kubereach.model.fact import Packet

CLIENT, NODE, OTHER, ADDRESS = (bytes([10, 40, 7, last]) for last in (152, 11, 12, 20))
MAC_A, MAC_B = b"\x02\x4a\x00\x00\x00\x11", b"\x02\x4a\x00\x00\x00\x52"
POD = bytes([10, 42, 1, 9])


def _ip(source: bytes, target: bytes, payload: Any, protocol: int, ttl: int = 63) -> dpkt.ip.IP:  # noqa: ANN401
    packet = dpkt.ip.IP(src=source, dst=target, p=protocol, ttl=ttl, data=payload)
    packet.len = len(packet)
    return packet


def _frame(payload: Any, kind: int = 0x0800) -> bytes:  # noqa: ANN401
    return bytes(dpkt.ethernet.Ethernet(src=MAC_B, dst=MAC_A, type=kind, data=payload))


def _tcp(flags: int, **ports: int) -> dpkt.tcp.TCP:
    return dpkt.tcp.TCP(flags=flags, **{"sport": 51514, "dport": 80, **ports})


SYN = _ip(CLIENT, ADDRESS, _tcp(0x02), 6)
SYN_ACK = _ip(ADDRESS, CLIENT, _tcp(0x12, sport=80, dport=51514), 6, ttl=64)


def _pcap(*frames: bytes, link: int = 1, **options: Any) -> bytes:  # noqa: ANN401
    file = io.BytesIO()
    writer = dpkt.pcap.Writer(file, linktype=link, **options)
    for frame in frames:
        writer.writepkt(frame, ts=1740996001.25)
    return file.getvalue()


def _packets(data: bytes, name: str = "tcpdump.worker-0.pcap") -> list[Packet]:
    evidence = read_evidence([Document(name, data)])
    assert evidence.unread == ()
    return [fact for fact in evidence.facts if isinstance(fact, Packet)]


def _facts(packet: Packet) -> tuple[object, ...]:
    return packet.what, packet.source, packet.destination, packet.source_port, packet.destination_port, packet.flags


def test_tcp_with_its_vantage_ttl_and_sender() -> None:
    first, second = _packets(_pcap(_frame(SYN), _frame(SYN), _frame(SYN_ACK)))
    assert _facts(first) == ("tcp", "10.40.7.152", "10.40.7.20", 51514, 80, "S")
    assert (first.count, first.ttl, first.mac, first.taken) == (2, 63, "02:4a:00:00:00:52", "10:00:01.250000")
    assert first.device == "node/worker-0" or first.device == "worker-0"
    assert (first.origin.first, first.origin.last) == (1, 2)
    assert _facts(second) == ("tcp", "10.40.7.20", "10.40.7.152", 80, 51514, "S.")


def test_arp() -> None:
    asked = dpkt.arp.ARP(op=1, sha=MAC_B, spa=CLIENT, tha=b"\0" * 6, tpa=ADDRESS)
    told = dpkt.arp.ARP(op=2, sha=MAC_A, spa=ADDRESS, tha=MAC_B, tpa=CLIENT)
    first, second = _packets(_pcap(_frame(asked, 0x0806), _frame(told, 0x0806)))
    assert _facts(first)[:3] == ("arp-request", "10.40.7.152", "10.40.7.20")
    assert (second.what, second.destination, second.mac) == ("arp-reply", "10.40.7.20", "02:4a:00:00:00:11")


@pytest.mark.parametrize(
    ("message", "what", "info"),
    [
        (dpkt.icmp.ICMP(type=8, data=dpkt.icmp.ICMP.Echo(id=7, seq=1, data=b"x" * 8)), "icmp-echo-request", ""),
        (dpkt.icmp.ICMP(type=0, data=dpkt.icmp.ICMP.Echo(id=7, seq=1, data=b"x" * 8)), "icmp-echo-reply", ""),
        (b"\x05\x01\0\0" + NODE + bytes(SYN), "icmp-redirect", "redirect 10.40.7.20 to host 10.40.7.11"),
        (b"\x03\x03\0\0\0\0\0\0" + bytes(SYN), "icmp-unreachable", "10.40.7.20 tcp port 80 unreachable"),
        (
            b"\x03\x0d\0\0\0\0\0\0" + bytes(SYN),
            "icmp-unreachable",
            "host 10.40.7.20 unreachable - admin prohibited filter",
        ),
        (
            b"\x03\x04\0\0\0\0\x05\xaa" + bytes(SYN),
            "icmp-unreachable",
            "10.40.7.20 unreachable - need to frag (mtu 1450)",
        ),
        (b"\x0b\0\0\0\0\0\0\0" + bytes(SYN), "icmp-time-exceeded", "time exceeded in-transit"),
    ],
)
def test_icmp(message: Any, what: str, info: str) -> None:  # noqa: ANN401
    (packet,) = _packets(_pcap(_frame(_ip(NODE, CLIENT, message, 1))))
    assert (packet.what, packet.source, packet.destination, packet.info) == (what, "10.40.7.11", "10.40.7.152", info)


def test_vxlan_with_what_it_carries() -> None:
    inner = _frame(_ip(CLIENT, POD, _tcp(0x02, dport=8080), 6, ttl=62))
    outer = dpkt.udp.UDP(sport=40001, dport=4789, data=b"\x08\0\0\0\0\x10\0\0" + inner)
    outer.ulen = len(outer)
    tunnel, carried = _packets(_pcap(_frame(_ip(NODE, OTHER, outer, 17))))
    assert (tunnel.what, tunnel.source, tunnel.destination, tunnel.info) == (
        "vxlan",
        "10.40.7.11",
        "10.40.7.12",
        "vxlan vni 4096",
    )
    assert _facts(carried) == ("tcp", "10.40.7.152", "10.42.1.9", 51514, 8080, "S")


def test_ip_in_ip_with_what_it_carries() -> None:
    inner = _ip(CLIENT, POD, _tcp(0x02, dport=8080), 6)
    tunnel, carried = _packets(_pcap(_frame(_ip(NODE, OTHER, inner, 4))))
    assert (tunnel.what, tunnel.source, tunnel.destination) == ("ipip", "10.40.7.11", "10.40.7.12")
    assert (_facts(carried), carried.info) == (("tcp", "10.40.7.152", "10.42.1.9", 51514, 8080, "S"), "ipip")


def test_ipv6_and_neighbour_discovery() -> None:
    ends = {"src": b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\x01", "dst": b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\x02"}
    syn = dpkt.ip6.IP6(**ends, nxt=6, hlim=63, plen=20, data=_tcp(0x02))
    asks = b"\x87\0\0\0\0\0\0\0" + ends["dst"]
    solicitation = dpkt.ip6.IP6(**ends, nxt=58, hlim=255, plen=len(asks), data=asks)
    first, second = _packets(_pcap(_frame(syn, 0x86DD), _frame(bytes(solicitation), 0x86DD)))
    assert _facts(first) == ("tcp", "2001:db8::1", "2001:db8::2", 51514, 80, "S")
    assert (second.what, second.destination, second.info) == ("arp-request", "2001:db8::2", "ndp")


@pytest.mark.parametrize(
    ("link", "wrap", "direction"),
    [
        (113, lambda ip: b"\0\x04" + b"\0" * 12 + b"\x08\0" + ip, "Out"),
        (276, lambda ip: b"\x08\0" + b"\0" * 8 + b"\0" + b"\0" * 9 + ip, "In"),
        (101, lambda ip: ip, ""),
        (0, lambda ip: b"\x02\0\0\0" + ip, ""),
    ],
    ids=["cooked", "cooked2", "raw", "loopback"],
)
def test_links(link: int, wrap: Callable[[bytes], bytes], direction: str) -> None:
    (packet,) = _packets(_pcap(wrap(bytes(SYN)), link=link))
    assert (_facts(packet)[0], packet.source, packet.direction) == ("tcp", "10.40.7.152", direction)


def test_pcapng_and_nanoseconds() -> None:
    file = io.BytesIO()
    writer = dpkt.pcapng.Writer(file)
    writer.writepkt(_frame(SYN), ts=1740996001.25)
    plain = _packets(_pcap(_frame(SYN)))
    assert [_facts(packet) for packet in _packets(file.getvalue())] == [_facts(packet) for packet in plain]
    assert [_facts(packet) for packet in _packets(_pcap(_frame(SYN), nano=True))] == [_facts(p) for p in plain]


def test_a_torn_file_keeps_what_is_whole_and_shows_the_rest() -> None:
    whole = _pcap(_frame(SYN), _frame(SYN_ACK))
    for length in range(4, len(whole)):
        lines = lines_of_pcap(whole[:length])
        assert len(lines) <= 2
    evidence = read_evidence([Document("x.pcap", _pcap(_frame(SYN), b"\x01" * 40))])
    assert len(evidence.facts) == 1
    assert [passage.origin.label() for passage in evidence.unread] == ["x.pcap:2"]


def test_the_number_of_packets_is_bounded() -> None:
    lines = lines_of_pcap(_pcap(*[b"\x01" * 14] * (MOST_PACKETS + 5)))
    assert len(lines) == MOST_PACKETS + 1
    assert lines[-1] == f"(only the first {MOST_PACKETS} packets were read)"
