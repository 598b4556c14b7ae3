"""A network policy admits nobody from outside to the service's pods."""

from __future__ import annotations

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import target as places

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    _policy(lab, "deny")


def undo(lab: Lab, subject: str) -> None:
    _policy(lab, None)


def _policy(lab: Lab, value: str | None) -> None:
    pods = lab.state.original.endpoints(lab.scenario.target)
    lab.set_knobs({f"policy/{pod}": value for pod in pods})
    system.sync(lab)
