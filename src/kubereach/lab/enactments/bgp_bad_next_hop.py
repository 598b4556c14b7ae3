"""Every node announces its routes with a next hop that the router has no route to."""

from __future__ import annotations

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER, speaks_bgp
from kubereach.lab.scenario import Scenario
from kubereach.lab.session_faults import set_nodes

NOWHERE = "192.0.2.1"  # RFC 5737


def places(scenario: Scenario) -> tuple[str, ...]:
    return (CLUSTER,) if speaks_bgp(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    set_nodes(lab, lab.scenario.nodes, "next-hop", NOWHERE)


def undo(lab: Lab, subject: str) -> None:
    set_nodes(lab, lab.scenario.nodes, "next-hop", None)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))
