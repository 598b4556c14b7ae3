"""k3s ServiceLB (klipper-lb): the addresses are the nodes' own, and each node's kernel answers for its own.

A pod per node holds the service's port as host port and passes traffic on (others.md section 3).
"""

from __future__ import annotations

from kubereach.model.attribute import ADDRESS
from kubereach.simulate.announced import Announced, candidates
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """The node whose own address it is; with unknown addresses, the first that runs the pod."""
    speaking, silent = candidates(world, service, endpoints_count=False)
    owner = tuple(n for n in speaking if world.get(n, ADDRESS) == address)
    return Announced(layer2=owner or speaking[:1], silent=silent)
