"""A rule at the head of the node's FORWARD chain drops everything, as a hardening script leaves it."""

from __future__ import annotations

from kubereach.lab import filters
from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    filters.put(lab, name(subject), "FORWARD", "-j", "DROP")


def undo(lab: Lab, subject: str) -> None:
    filters.take(lab, name(subject), "FORWARD", "-j", "DROP")
