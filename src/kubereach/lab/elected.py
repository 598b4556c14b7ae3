"""Which nodes may announce a service's address, by the rules of MetalLB's and kube-vip's controllers."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from kubereach.lab.lab import Lab
from kubereach.lab.peering import runs
from kubereach.lab.scenario import Scenario

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


def candidates(lab: Lab, service: str) -> tuple[str, ...]:
    """The nodes from which MetalLB announces a service now; the knob `announcer/no-advertisement` leaves none."""
    if lab.knob("announcer/no-advertisement"):
        return ()
    return tuple(node for node in eligible(lab.scenario, service) if runs(lab, node))


def eligible(scenario: Scenario, service: str) -> tuple[str, ...]:
    """The nodes from which MetalLB may announce a service.

    It needs a ready endpoint, on the node itself under policy Local, and a node without the exclusion label, whatever
    that label's value (MetalLB speaker/main.go, since 0.14.2).
    """
    local = scenario.services[service].policy == "Local"
    return tuple(
        node
        for node, own in scenario.nodes.items()
        if EXCLUDED not in own.labels and scenario.ready_endpoints(service, node if local else None)
    )


def leader(nodes: Iterable[str], address: str) -> str:
    """The node that MetalLB elects among `nodes` (speaker/layer2_controller.go); "" for none."""
    return min(nodes, key=lambda node: sha256(f"{node}#{address}".encode()).digest(), default="")
