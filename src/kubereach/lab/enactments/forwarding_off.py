"""net.ipv4.ip_forward is 0 on the node."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    lab.sysctl(name(subject), "net.ipv4.ip_forward=0")


def undo(lab: Lab, subject: str) -> None:
    lab.sysctl(name(subject), "net.ipv4.ip_forward=1")
