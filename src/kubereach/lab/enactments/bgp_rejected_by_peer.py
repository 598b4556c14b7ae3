"""The router expects another AS number of the node, and answers its OPEN with a NOTIFICATION."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.session_faults import places, set_router, settled

__all__ = ["enact", "places", "settled", "undo"]


def enact(lab: Lab, subject: str) -> None:
    set_router(lab, subject, "asn", str(lab.scenario.announcer.asn + 1))


def undo(lab: Lab, subject: str) -> None:
    set_router(lab, subject, "asn", None)
