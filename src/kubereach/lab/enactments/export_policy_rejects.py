"""A route map of every node's speaker keeps the service's address back."""

from __future__ import annotations

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER
from kubereach.lab.scenario import Scenario
from kubereach.lab.session_faults import set_nodes


def places(scenario: Scenario) -> tuple[str, ...]:
    """Calico's own export policy is its BGPFilter."""
    return (CLUSTER,) if scenario.announcer.kind == "metallb-bgp" else ()


def enact(lab: Lab, subject: str) -> None:
    set_nodes(lab, lab.scenario.nodes, "export-reject", f"{lab.scenario.service.address}/32")


def undo(lab: Lab, subject: str) -> None:
    set_nodes(lab, lab.scenario.nodes, "export-reject", None)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))
