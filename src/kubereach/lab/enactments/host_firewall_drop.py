"""The host's firewall drops new connections, whether the node takes them itself or forwards them."""

from __future__ import annotations

from kubereach.lab import node_firewall
from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name

__all__ = ["enact", "places", "undo"]
VERDICT = ("-j", "DROP")


def enact(lab: Lab, subject: str) -> None:
    node_firewall.close(lab, name(subject), VERDICT)


def undo(lab: Lab, subject: str) -> None:
    node_firewall.open_again(lab, name(subject), VERDICT)
