"""A layer-2 announcer's responder: answers ARP for addresses that no interface has, as MetalLB's speaker does.

    python -m kubereach.lab.arp_responder INTERFACE ADDRESS...

Requests that are broadcast, or sent to the interface's own hardware address, are answered with that address (MetalLB
internal/layer2/arp.go). Whoever starts is a new leader and says so: a gratuitous request and reply, broadcast at once
and then every 1.1 s for 5 s (internal/layer2/announcer.go). It runs until it is told to end.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import time
from ipaddress import IPv4Address

ETHERTYPE = 0x0806  # RFC 826
FRAME = struct.Struct("!6s6sHHHBBH6s4s6s4s")
REQUEST, REPLY = 1, 2
BROADCAST = b"\xff" * 6
REPEAT, REPEATED_FOR = 1.1, 5.0  # seconds


def frame(operation: int, own: bytes, address: bytes, to: bytes, target: tuple[bytes, bytes]) -> bytes:
    """An ARP packet in an Ethernet frame: `own` says that it has `address`; `target` is hardware and IPv4 address."""
    return FRAME.pack(to, own, ETHERTYPE, 1, 0x0800, 6, 4, operation, own, address, *target)


def answer(packet: bytes, own: bytes, addresses: frozenset[bytes]) -> bytes | None:
    """The reply to a frame that asks for one of `addresses`; None for any other frame."""
    if len(packet) < FRAME.size:
        return None
    to, _, kind, hardware, protocol, _, _, operation, asker, asker_address, _, wanted = FRAME.unpack_from(packet)
    asks = (kind, hardware, protocol, operation) == (ETHERTYPE, 1, 0x0800, REQUEST)
    if not asks or wanted not in addresses or to not in (BROADCAST, own):
        return None
    return frame(REPLY, own, wanted, asker, (asker, asker_address))


def gratuitous(own: bytes, address: bytes) -> tuple[bytes, bytes]:
    """The request and the reply that tell a segment of a new holder (RFC 5227 section 3)."""
    return (
        frame(REQUEST, own, address, BROADCAST, (BROADCAST, address)),
        frame(REPLY, own, address, BROADCAST, (BROADCAST, address)),
    )


def main(interface: str, *texts: str) -> None:
    """Answer on `interface` for ever."""
    addresses = frozenset(IPv4Address(text).packed for text in texts)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE)) as link:
        link.bind((interface, ETHERTYPE))
        own = link.getsockname()[4]
        until, due = time.monotonic() + REPEATED_FOR, time.monotonic()
        while True:
            now = time.monotonic()
            if due <= now < until:
                for address in sorted(addresses):
                    for packet in gratuitous(own, address):
                        link.send(packet)
                due += REPEAT
            heard = select.select([link], [], [], max(0.0, due - now) if now < until else None)[0]
            if heard and (reply := answer(link.recv(2048), own, addresses)):
                link.send(reply)


if __name__ == "__main__":
    main(*sys.argv[1:])
