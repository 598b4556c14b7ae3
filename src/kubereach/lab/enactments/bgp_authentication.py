"""The router has a TCP MD5 password (RFC 2385) for the node, and the node has none."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.session_faults import places, set_router, settled

__all__ = ["enact", "places", "settled", "undo"]


def enact(lab: Lab, subject: str) -> None:
    set_router(lab, subject, "password", "not-known-to-the-node")


def undo(lab: Lab, subject: str) -> None:
    set_router(lab, subject, "password", None)
