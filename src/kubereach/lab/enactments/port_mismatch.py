"""The service's targetPort is one on which nothing listens."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import target as places

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    system.change_service(lab, lambda service: replace(service, target_port=8081))


def undo(lab: Lab, subject: str) -> None:
    original = lab.state.original.service
    system.change_service(lab, lambda service: replace(service, target_port=original.target_port))
