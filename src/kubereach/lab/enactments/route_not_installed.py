"""The router's daemon has the routes and puts none of them into its kernel."""

from __future__ import annotations

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import ROUTER, speaks_bgp
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return ROUTER if speaks_bgp(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    lab.set_knobs({"router/not-installed": "1"})
    system.router(lab).sync(lab)


def undo(lab: Lab, subject: str) -> None:
    lab.set_knobs({"router/not-installed": None})
    system.router(lab).sync(lab)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))
