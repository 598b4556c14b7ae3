"""The node peers with the router's address in another segment, and neither end allows more than one hop."""

from __future__ import annotations

from kubereach.lab import session_faults
from kubereach.lab.lab import Lab
from kubereach.lab.scenario import Scenario
from kubereach.lab.session_faults import affected, set_nodes, settled

__all__ = ["enact", "places", "settled", "undo"]


def places(scenario: Scenario) -> tuple[str, ...]:
    """Calico's own end always allows several hops."""
    possible = scenario.announcer.kind == "metallb-bgp" and len(scenario.segments) > 1
    return session_faults.places(scenario) if possible else ()


def enact(lab: Lab, subject: str) -> None:
    for node in affected(lab, subject):
        own = lab.scenario.nodes[node].segment
        far = next(address for segment, address in lab.scenario.router.addresses.items() if segment != own)
        set_nodes(lab, [node], "peer", far)


def undo(lab: Lab, subject: str) -> None:
    set_nodes(lab, affected(lab, subject), "peer", None)
