"""Cilium's L2 announcements: a Lease per service, held by whichever selected node came first (others.md section 1).

The lease does not look for endpoints, which is why policy Local does not go with it.
"""

from __future__ import annotations

from kubereach.model.attribute import ATTRACTS_WITHOUT_ENDPOINT, ENDPOINTS, L2_POOLS, LEASE_HOLDER, NO_ADVERTISEMENT
from kubereach.simulate.announced import Announced, candidates
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """One holder. Which one is not computable; a node with an endpoint is taken until something says otherwise."""
    if world.get("cluster", NO_ADVERTISEMENT) or not world.get("cluster", L2_POOLS):
        return Announced(
            silent=tuple((n, "no CiliumL2AnnouncementPolicy selects the service") for n in world.network.nodes)
        )
    speaking, silent = candidates(world, service, endpoints_count=False, ready=False)
    with_endpoint = [n for n in speaking if any(e.node == n for e in world.get(service, ENDPOINTS))]
    holder = world.get(service, LEASE_HOLDER)
    without = [n for n in speaking if n not in with_endpoint and world.get(n, ATTRACTS_WITHOUT_ENDPOINT)]
    held = [holder] if holder in speaking else []
    return Announced(layer2=tuple((without or held or with_endpoint or list(speaking))[:1]), silent=silent)
