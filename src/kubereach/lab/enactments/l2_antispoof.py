"""The switch drops every node's ARP answers for the service's address: port security that knows one address a port."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER, speaks_bgp
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import SWITCH, node_port


def places(scenario: Scenario) -> tuple[str, ...]:
    return () if speaks_bgp(scenario) else (CLUSTER,)


def enact(lab: Lab, subject: str) -> None:
    """In an ARP packet for Ethernet and IPv4 the sender's address stands at offset 14 (RFC 826)."""
    raw = bytes(int(part) for part in lab.scenario.service.address.split(".")).hex()
    high, low = raw[:4], raw[4:]
    match = f"match u16 0x{high} 0xffff at 14 match u16 0x{low} 0xffff at 16"
    for node in lab.scenario.nodes:
        port = node_port(lab, node)
        lab.script(
            SWITCH,
            f"tc qdisc add dev {port} clsact\ntc filter add dev {port} ingress protocol arp u32 {match} action drop\n",
        )


def undo(lab: Lab, subject: str) -> None:
    for node in lab.scenario.nodes:
        lab.run(SWITCH, "tc", "qdisc", "del", "dev", node_port(lab, node), "clsact")
