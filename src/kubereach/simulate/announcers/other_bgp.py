"""A BGP announcer that the evidence does not name: host routes from all nodes that the policy admits."""

from __future__ import annotations

from kubereach.simulate.announced import Announced, host_routes
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """The host route from every node that the policy admits."""
    return host_routes(world, service, address)
