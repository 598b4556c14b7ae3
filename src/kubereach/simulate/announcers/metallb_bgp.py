"""MetalLB's speakers in BGP mode: every eligible node announces the host route (metallb.md sections 2 and 4)."""

from __future__ import annotations

from kubereach.model.address import host_prefix
from kubereach.model.attribute import BGP_POOLS, NO_ADVERTISEMENT
from kubereach.simulate.announced import Announced, Announcement, candidates, given
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """The host route from all eligible speakers; under policy Local from those with a ready endpoint."""
    if world.get("cluster", NO_ADVERTISEMENT) or not world.get("cluster", BGP_POOLS):
        return Announced(silent=tuple((n, "no BGPAdvertisement selects the pool") for n in world.network.nodes))
    speaking, silent = candidates(world, service, label=True)
    if not given(world, service):
        speaking = ()
    return Announced(tuple(Announcement(n, host_prefix(address), "endpoint") for n in speaking), silent=silent)
