"""The service's pods are not ready: their readiness probe fails, and no endpoint is left."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import target as places

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    system.change_pods(lab, lambda pod: replace(pod, ready=False))


def undo(lab: Lab, subject: str) -> None:
    system.change_pods(lab, lambda pod: replace(pod, ready=True))
