"""The router's daemon is told to use one of several equal paths."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import ROUTER, speaks_bgp
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return ROUTER if speaks_bgp(scenario) and scenario.router.multipath and len(scenario.nodes) > 1 else ()


def enact(lab: Lab, subject: str) -> None:
    _multipath(lab, on=False)


def undo(lab: Lab, subject: str) -> None:
    _multipath(lab, on=True)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))


def _multipath(lab: Lab, *, on: bool) -> None:
    lab.change(replace(lab.scenario, router=replace(lab.scenario.router, multipath=on)))
    system.router(lab).sync(lab)
