"""Who answers for an address on a segment, as its router hears it, and what its hosts remember of that."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address

from kubereach.lab.lab import Lab
from kubereach.lab.wiring import mac


def answers(lab: Lab, address: str) -> frozenset[str]:
    """The hardware addresses that answer the router's ARP request for `address`; none where it is on no segment."""
    for name in lab.scenario.segments:
        if IPv4Address(address) in lab.scenario.prefix(name):
            device = lab.interface("router", name)
            # One request: each holder answers it once, and 0.4 s are long for a lab's wire.
            printed = lab.run("router", "arping", "-c", "1", "-w", "0.4", "-i", device, address, check=False).out
            return frozenset(re.findall(r"from ((?:[0-9a-f]{2}:){5}[0-9a-f]{2})", printed))
    return frozenset()


def forget(lab: Lab, address: str) -> None:
    """The router and the clients ask anew who has `address`, as they do once their entries are some minutes old."""
    for host in ("router", *lab.scenario.clients):
        lab.run(host, "ip", "neigh", "flush", "to", address, check=False)


def macs(lab: Lab, nodes: Iterable[str]) -> frozenset[str]:
    """The hardware addresses of nodes."""
    return frozenset(mac(lab.scenario, node, lab.scenario.nodes[node].segment) for node in nodes)
