"""The mesh is on beside the external peer, so that every node passes host routes on as its own.

It has its place where policy is Local and the scenario's mesh is off.
"""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return (
        (CLUSTER,)
        if scenario.announcer.kind == "calico-bgp"
        and scenario.service.policy == "Local"
        and not scenario.announcer.mesh
        else ()
    )


def enact(lab: Lab, subject: str) -> None:
    _mesh(lab, on=True)


def undo(lab: Lab, subject: str) -> None:
    _mesh(lab, on=False)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))


def _mesh(lab: Lab, *, on: bool) -> None:
    lab.change(replace(lab.scenario, announcer=replace(lab.scenario.announcer, mesh=on)))
    system.sync(lab)
