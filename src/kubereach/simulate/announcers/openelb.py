"""OpenELB in BGP mode announces from its managers for all nodes; its layer-2 mode is other_l2 (others.md section 4)."""

from __future__ import annotations

from kubereach.simulate.announced import Announced, host_routes
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """The host route from every node that the policy admits."""
    return host_routes(world, service, address)
