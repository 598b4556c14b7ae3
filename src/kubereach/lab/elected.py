"""Which nodes may announce a service's address, by the rules of MetalLB's and kube-vip's controllers."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.peering import runs

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


def candidates(lab: Lab, service: str) -> tuple[str, ...]:
    """The nodes from which MetalLB announces a service.

    It needs a ready endpoint, on the node itself under policy Local, and a node without the exclusion label, whatever
    that label's value (MetalLB speaker/main.go, since 0.14.2).
    """
    scenario = lab.scenario
    local = scenario.services[service].policy == "Local"
    return tuple(
        node
        for node, own in scenario.nodes.items()
        if runs(lab, node) and EXCLUDED not in own.labels and scenario.ready_endpoints(service, node if local else None)
    )
