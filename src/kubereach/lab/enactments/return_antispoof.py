"""The switch drops what leaves the node's port with the service's address as source: source guard."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name
from kubereach.lab.wiring import SWITCH, node_port

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    address, port = lab.scenario.service.address, node_port(lab, name(subject))
    lab.script(
        SWITCH,
        f"tc qdisc add dev {port} clsact\n"
        f"tc filter add dev {port} ingress protocol ip u32 match ip src {address}/32 action drop\n",
    )


def undo(lab: Lab, subject: str) -> None:
    lab.run(SWITCH, "tc", "qdisc", "del", "dev", node_port(lab, name(subject)), "clsact")
