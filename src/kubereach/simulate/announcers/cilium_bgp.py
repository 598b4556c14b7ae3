"""Cilium's BGP control plane: host routes from all selected nodes (others.md section 1).

Policy Cluster: unconditionally. Policy Local: only from nodes with a local endpoint.
"""

from __future__ import annotations

from kubereach.model.address import host_prefix
from kubereach.model.attribute import BGP_POOLS, NO_ADVERTISEMENT
from kubereach.simulate.announced import Announced, Announcement, candidates, given
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """The host route from the nodes that the policy admits, or nothing when no advertisement matches."""
    if world.get("cluster", NO_ADVERTISEMENT) or not world.get("cluster", BGP_POOLS) or not given(world, service):
        return Announced(silent=tuple((n, "no advertisement matches the service") for n in world.network.nodes))
    speaking, silent = candidates(world, service, ready=False)
    return Announced(tuple(Announcement(n, host_prefix(address), "endpoint") for n in speaking), silent=silent)
