"""kube-proxy does not run on the node, which was restarted: none of its rules are there."""

from __future__ import annotations

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    node = name(subject)
    lab.set_knobs({f"stopped/kube-proxy/{node}": "1"})
    system.proxy(lab).clear(lab, node)


def undo(lab: Lab, subject: str) -> None:
    node = name(subject)
    lab.set_knobs({f"stopped/kube-proxy/{node}": None})
    system.proxy(lab).sync(lab, node)
