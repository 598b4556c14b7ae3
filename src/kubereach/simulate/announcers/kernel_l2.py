"""No load balancer at all: external addresses that nothing announces (kube-proxy.md section 3.5).

In IPVS mode without strictARP the kernels answer for the addresses on kube-ipvs0 (simulate.arp); otherwise nobody does,
and only a route by hand leads to a node.
"""

from __future__ import annotations

from kubereach.simulate.announced import Announced
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """Nobody, whatever the service."""
    return Announced(silent=tuple((n, "nothing announces external addresses") for n in world.network.nodes))
