"""MetalLB's speakers in layer-2 mode: one elected node answers ARP or NDP (metallb.md sections 2 and 3).

The leader is the eligible node with the smallest SHA-256 of `NODE#ADDRESS` (speaker/layer2_controller.go). Since 0.14.2
a node with the exclusion label, whatever its value, is not eligible.
"""

from __future__ import annotations

from hashlib import sha256

from kubereach.model.attribute import L2_POOLS, LEASE_HOLDER, NO_ADVERTISEMENT
from kubereach.simulate.announced import Announced, candidates, given
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """One leader among the eligible nodes, or nobody without an advertisement."""
    if world.get("cluster", NO_ADVERTISEMENT) or not world.get("cluster", L2_POOLS):
        return Announced(silent=tuple((n, "no L2Advertisement selects the pool") for n in world.network.nodes))
    speaking, silent = candidates(world, service, label=True)
    if not given(world, service):
        speaking = ()
    holder = world.get(service, LEASE_HOLDER)
    if holder in speaking:  # what a status or event says stands over what would be computed
        return Announced(layer2=(holder,), silent=silent)
    return Announced(layer2=tuple(sorted(speaking, key=lambda node: _rank(node, address))[:1]), silent=silent)


def _rank(node: str, address: str) -> bytes:
    return sha256(f"{node.removeprefix('node/')}#{address}".encode()).digest()
