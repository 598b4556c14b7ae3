"""No pool exists, or none admits the service.

What happens   The allocator has no pool at all (MetalLB then writes no event), or every pool's namespaces, selector or
               autoAssign leaves the service out; a ConfigMap of MetalLB before 0.13 is read by no later version.
How it looks   EXTERNAL-IP stays <pending>; `no available IPs`, or nothing at all
Confirm        the pools' namespaces, selectors and autoAssign against the service
Fix            create a pool, or let one admit the service
Not to be confused with  pool-exhausted (pools exist and are full)
References     MetalLB internal/allocator; Cilium LB IPAM no_pool
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.allocation import put_in, refused_for, taken_out
from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="no-pool-for-service",
    class_="alloc-no-pool",
    layer="allocation",
    owner=Owner.CLUSTER,
    prior=Chance(0.05, "asked only about services without an address, of which a missing pool is the commonest reason"),
    summary="no address pool exists for the service",
)


def suspects(world: World) -> Iterable[Suspect]:
    return refused_for(world, FAULT, "no-pool")


def apply(world: World, suspect: Suspect) -> Changes:
    return put_in(world, suspect, "no-pool")


def remove(world: World, suspect: Suspect) -> Changes:
    return taken_out(suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="create a pool, or let one admit the service",
        commands=("kubectl get ipaddresspools,ciliumloadbalancerippools -A -o yaml",),
    )
