"""The router's import filter lets aggregates in and no host route."""

from __future__ import annotations

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import ROUTER
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return ROUTER if scenario.announcer.kind == "calico-bgp" and scenario.service.policy == "Local" else ()


def enact(lab: Lab, subject: str) -> None:
    lab.set_knobs({"router/import": "aggregates-only"})
    system.router(lab).sync(lab)


def undo(lab: Lab, subject: str) -> None:
    lab.set_knobs({"router/import": None})
    system.router(lab).sync(lab)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))
