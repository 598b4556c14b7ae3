"""The service's selector asks for a label that no pod bears, so that it has no endpoint."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import target as places

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    system.change_service(lab, lambda service: replace(service, selector={"app": "renamed"}))


def undo(lab: Lab, subject: str) -> None:
    original = lab.state.original.service
    system.change_service(lab, lambda service: replace(service, selector=original.selector))
