"""kube-vip in BGP mode: every instance announces; under policy Local those with endpoints (others.md section 2)."""

from __future__ import annotations

from kubereach.simulate.announced import Announced, host_routes
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """The host route from every node that the policy admits."""
    return host_routes(world, service, address)
