"""keepalived: the master of the VRRP group configures the address on its interface, so its kernel answers.

It knows nothing of services: neither endpoints nor policy decide who is master.
"""

from __future__ import annotations

from kubereach.model.attribute import LEASE_HOLDER
from kubereach.simulate.announced import Announced, candidates
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """The master; which of the nodes it is, only its priority and its log say."""
    speaking, silent = candidates(world, service, endpoints_count=False, ready=False)
    holder = world.get(service, LEASE_HOLDER)
    return Announced(layer2=(holder,) if holder in speaking else speaking[:1], silent=silent)
