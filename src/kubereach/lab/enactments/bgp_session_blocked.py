"""The router has no neighbour entry for the node, so that it refuses the node's connections."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.session_faults import places, set_router, settled

__all__ = ["enact", "places", "settled", "undo"]


def enact(lab: Lab, subject: str) -> None:
    set_router(lab, subject, "absent", "1")


def undo(lab: Lab, subject: str) -> None:
    set_router(lab, subject, "absent", None)
