"""MetalLB's pool has no advertisement, so that addresses are given and announced by nobody."""

from __future__ import annotations

from kubereach.lab import segment, system
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return (CLUSTER,) if scenario.announcer.kind.startswith("metallb-") else ()


def enact(lab: Lab, subject: str) -> None:
    lab.set_knobs({"announcer/no-advertisement": "1"})
    system.sync(lab)
    segment.forget(lab, lab.scenario.service.address)


def undo(lab: Lab, subject: str) -> None:
    lab.set_knobs({"announcer/no-advertisement": None})
    system.sync(lab)
    segment.forget(lab, lab.scenario.service.address)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))
