"""A layer-2 announcer that the evidence does not name: one node that the policy admits answers ARP."""

from __future__ import annotations

from kubereach.model.attribute import LEASE_HOLDER
from kubereach.simulate.announced import Announced, candidates
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """One of the admitted nodes."""
    speaking, silent = candidates(world, service)
    holder = world.get(service, LEASE_HOLDER)
    if holder in speaking:
        return Announced(layer2=(holder,), silent=silent)
    return Announced(layer2=speaking[:1], silent=silent)
