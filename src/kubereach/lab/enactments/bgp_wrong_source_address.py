"""The announcer takes the node's second address, which the router has no neighbour entry for, as autodetection may."""

from __future__ import annotations

from ipaddress import IPv4Address

from kubereach.lab.lab import Lab
from kubereach.lab.session_faults import affected, places, set_nodes, settled

__all__ = ["enact", "places", "settled", "undo"]

AWAY = 100  # from the node's own address


def enact(lab: Lab, subject: str) -> None:
    for node in affected(lab, subject):
        own = lab.scenario.nodes[node]
        length = lab.scenario.prefix(own.segment).prefixlen
        lab.run(node, "ip", "address", "add", f"{_second(lab, node)}/{length}", "dev", "eth0")
        set_nodes(lab, [node], "source", _second(lab, node))


def undo(lab: Lab, subject: str) -> None:
    set_nodes(lab, affected(lab, subject), "source", None)
    for node in affected(lab, subject):
        length = lab.scenario.prefix(lab.scenario.nodes[node].segment).prefixlen
        lab.run(node, "ip", "address", "del", f"{_second(lab, node)}/{length}", "dev", "eth0")


def _second(lab: Lab, node: str) -> str:
    return str(IPv4Address(lab.scenario.nodes[node].address) + AWAY)
