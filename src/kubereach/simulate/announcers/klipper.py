"""k3s ServiceLB (klipper-lb): the addresses are the nodes' own, and each node's kernel answers for its own.

A pod per node holds the service's port as host port and passes traffic on (others.md section 3).
"""

from __future__ import annotations

from kubereach.model.attribute import ADDRESS, ENDPOINTS
from kubereach.simulate.announced import Announced, candidates
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """The node whose own address it is; with unknown addresses, one with an endpoint."""
    speaking, silent = candidates(world, service, endpoints_count=False)
    owner = tuple(n for n in speaking if address and world.get(n, ADDRESS) == address)
    with_endpoint = tuple(n for n in speaking if any(e.node == n for e in world.get(service, ENDPOINTS)))
    return Announced(layer2=owner or (with_endpoint or speaking)[:1], silent=silent)
