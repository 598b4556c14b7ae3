"""The router has a TCP MD5 password (RFC 2385) for the node, and the node has none: the kernels drop in silence."""

from __future__ import annotations

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.session_faults import affected, places, set_router

__all__ = ["enact", "places", "settled", "undo"]

TRYING = ("Connect", "Active")  # RFC 4271 section 8.2.2


def enact(lab: Lab, subject: str) -> None:
    set_router(lab, subject, "password", "not-known-to-the-node")


def undo(lab: Lab, subject: str) -> None:
    set_router(lab, subject, "password", None)


def settled(lab: Lab, subject: str) -> bool:
    """Whether the nodes try in vain; how the session ended before stays BIRD's last word."""
    announcer = system.announcer(lab)
    states = [announcer.session_state(lab, node) for node in affected(lab, subject)]
    return all(state.startswith(TRYING) for state in states) and bool(announcer.settled(lab))
