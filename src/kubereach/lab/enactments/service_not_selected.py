"""serviceLoadBalancerIPs names another range than the service's address is in."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import target
from kubereach.lab.scenario import Scenario

ELSEWHERE = "198.51.100.0/28"  # RFC 5737


def places(scenario: Scenario) -> tuple[str, ...]:
    return target(scenario) if scenario.announcer.kind == "calico-bgp" else ()


def enact(lab: Lab, subject: str) -> None:
    _announce(lab, (ELSEWHERE,))


def undo(lab: Lab, subject: str) -> None:
    _announce(lab, lab.state.original.announcer.lb_cidrs)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))


def _announce(lab: Lab, ranges: tuple[str, ...]) -> None:
    lab.change(replace(lab.scenario, announcer=replace(lab.scenario.announcer, lb_cidrs=ranges)))
    system.sync(lab)
