"""The link from the node carries 1300 bytes, and drops what is longer in silence."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name
from kubereach.lab.wiring import SWITCH, node_port

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    lab.run(SWITCH, "ip", "link", "set", node_port(lab, name(subject)), "mtu", "1300")


def undo(lab: Lab, subject: str) -> None:
    lab.run(SWITCH, "ip", "link", "set", node_port(lab, name(subject)), "mtu", "1500")
