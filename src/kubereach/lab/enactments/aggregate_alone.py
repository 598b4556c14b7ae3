"""No node announces the service's host route: a Calico that knows them for cluster addresses only (before 3.18)."""

from __future__ import annotations

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER
from kubereach.lab.scenario import Scenario
from kubereach.lab.session_faults import set_nodes


def places(scenario: Scenario) -> tuple[str, ...]:
    possible = scenario.announcer.kind == "calico-bgp" and scenario.service.policy == "Local"
    return (CLUSTER,) if possible and not all(cidr.endswith("/32") for cidr in scenario.announcer.lb_cidrs) else ()


def enact(lab: Lab, subject: str) -> None:
    set_nodes(lab, lab.scenario.nodes, "no-host-routes", "1")


def undo(lab: Lab, subject: str) -> None:
    set_nodes(lab, lab.scenario.nodes, "no-host-routes", None)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))
