"""What the faults of allocation share: one leaf of the service says why it has no address."""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Presence, Suspect
from kubereach.model.attribute import ADDRESSES, ALLOCATION_CLEARED, ALLOCATION_FAULT, ALLOCATION_WHY, TELLS
from kubereach.simulate.world import Changes, World

# Events and log lines of controllers that give no address (MetalLB internal/allocator; Kubernetes events).
TELL_TALES = (
    "AllocationFailed",
    "failed-to-allocate-ip",
    "allocationFailed",
    "LoadBalancerFailed",
    "SyncLoadBalancerFailed",
)
CLEARED = Chance(0.1, "of a fault's prior, where pools, services and options are shown and none of them refuses")

WITH_POOLS = frozenset({"metallb", "cilium", "kube-vip", "openelb", "calico"})


def _service_lb(world: World) -> bool:
    """Whether k3s's ServiceLB gives the addresses, which are the nodes' own and in no pool."""
    return bool(world.network.stack & {"klipper", "servicelb"})


def refused_for(world: World, fault: Fault, reason: str, prior: float | None = None) -> Iterable[Suspect]:
    """The flow's service as suspect: present where configuration decides so, unknown while it may be pending."""
    service = world.network.flow.service
    decided = world.network.seen(service, ALLOCATION_FAULT)
    why = world.network.seen(service, ALLOCATION_WHY) or ""
    if decided == reason:
        because = tuple((o, why) for o in world.network.origins(service, ALLOCATION_FAULT)[:1])
        return (Suspect(fault=fault, subject=service, presence=Presence.PRESENT, because=because),)
    if decided or world.network.seen(service, ADDRESSES) or world.network.flow.address:
        return ()
    if reason in {"no-pool", "exhausted"} and not world.network.stack & WITH_POOLS and _service_lb(world):
        return ()
    if reason in (world.network.seen(service, ALLOCATION_CLEARED) or ()):
        prior = (fault.prior if prior is None else prior) * CLEARED
    return (Suspect(fault=fault, subject=service, prior=prior),)


def put_in(world: World, suspect: Suspect, reason: str) -> Changes:
    """The leaves that give the service this reason, and what its controller then writes."""
    told = (*world.get("cluster", TELLS), *TELL_TALES)
    return {ALLOCATION_FAULT.of(suspect.subject): reason, TELLS.of("cluster"): told}


def taken_out(suspect: Suspect) -> Changes:
    """The leaves of a service that gets an address."""
    return {ALLOCATION_FAULT.of(suspect.subject): ""}
