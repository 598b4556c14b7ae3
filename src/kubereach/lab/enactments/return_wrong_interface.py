"""The node's routes to the clients leave by a second interface, where nobody takes the answers on."""

from __future__ import annotations

from kubereach.lab import second_nic
from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    second_nic.add(lab, name(subject))


def undo(lab: Lab, subject: str) -> None:
    second_nic.remove(lab, name(subject))
