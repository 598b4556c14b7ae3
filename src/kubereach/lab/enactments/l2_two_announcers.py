"""The node's speaker has lost the others (memberlist), takes itself for the leader, and answers beside the real one."""

from __future__ import annotations

from kubereach.lab import segment, system
from kubereach.lab.elected import eligible, leader
from kubereach.lab.lab import Lab
from kubereach.lab.places import name
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    """The candidates that are not the leader."""
    if scenario.announcer.kind != "metallb-l2":
        return ()
    found = eligible(scenario, scenario.target)
    return tuple(f"node/{node}" for node in found if node != leader(found, scenario.service.address))


def enact(lab: Lab, subject: str) -> None:
    lab.set_knobs({f"announcer/{name(subject)}/alone": "1"})
    system.announcer(lab).sync(lab, name(subject))
    segment.forget(lab, lab.scenario.service.address)


def undo(lab: Lab, subject: str) -> None:
    lab.set_knobs({f"announcer/{name(subject)}/alone": None})
    system.announcer(lab).sync(lab, name(subject))
    segment.forget(lab, lab.scenario.service.address)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))
