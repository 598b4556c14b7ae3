"""The application listens on 127.0.0.1 alone."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import target as places
from kubereach.lab.servers import serve_pod

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    _serve(lab, "127.0.0.1")


def undo(lab: Lab, subject: str) -> None:
    _serve(lab, None)


def _serve(lab: Lab, value: str | None) -> None:
    for pod in lab.state.original.endpoints(lab.scenario.target):
        lab.set_knobs({f"pod/{pod}/listen": value})
        serve_pod(lab, pod)
