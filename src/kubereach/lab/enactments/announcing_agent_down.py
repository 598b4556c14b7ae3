"""The announcing daemon does not run on the node."""

from __future__ import annotations

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name

__all__ = ["enact", "places", "settled", "undo"]


def enact(lab: Lab, subject: str) -> None:
    lab.set_knobs({f"stopped/announcer/{name(subject)}": "1"})
    system.announcer(lab).stop(lab, name(subject))
    system.sync(lab)


def undo(lab: Lab, subject: str) -> None:
    lab.set_knobs({f"stopped/announcer/{name(subject)}": None})
    system.announcer(lab).start(lab, name(subject))
    system.sync(lab)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))
