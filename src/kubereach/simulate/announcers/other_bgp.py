"""A BGP announcer that the evidence does not name: host routes from all nodes that the policy admits."""

from __future__ import annotations

from kubereach.model.address import host_prefix
from kubereach.simulate.announced import Announced, Announcement, candidates, given
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """The host route from every node that the policy admits."""
    speaking, silent = candidates(world, service)
    if not given(world, service):
        speaking = ()
    return Announced(tuple(Announcement(n, host_prefix(address), "endpoint") for n in speaking), silent=silent)
