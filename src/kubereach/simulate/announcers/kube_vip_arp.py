"""kube-vip in ARP mode: the leader configures the address on its interface, so its kernel answers."""

from __future__ import annotations

from kubereach.model.attribute import ATTRACTS_WITHOUT_ENDPOINT, ENDPOINTS, LEASE_HOLDER
from kubereach.simulate.announced import Announced, candidates
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """The leader, endpoints or not; with a leader of its own per service, policy Local follows the endpoints."""
    speaking, silent = candidates(world, service, endpoints_count=False, ready=False)
    with_endpoint = [n for n in speaking if any(e.node == n for e in world.get(service, ENDPOINTS))]
    holder = world.get(service, LEASE_HOLDER)
    without = [n for n in speaking if n not in with_endpoint and world.get(n, ATTRACTS_WITHOUT_ENDPOINT)]
    held = [holder] if holder in speaking else []
    return Announced(layer2=tuple((without or held or with_endpoint or list(speaking))[:1]), silent=silent)
