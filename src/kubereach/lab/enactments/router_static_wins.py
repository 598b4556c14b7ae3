"""A static route of the router, left over, sends the service's address to a host that is gone."""

from __future__ import annotations

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import ROUTER, speaks_bgp
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return ROUTER if speaks_bgp(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    segment = next(iter(lab.scenario.nodes.values())).segment
    lab.set_knobs({_knob(lab): str(lab.scenario.prefix(segment)[250])})
    system.router(lab).sync(lab)


def undo(lab: Lab, subject: str) -> None:
    lab.set_knobs({_knob(lab): None})
    system.router(lab).sync(lab)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))


def _knob(lab: Lab) -> str:
    return f"router/static/{lab.state.original.service.address}/32"
