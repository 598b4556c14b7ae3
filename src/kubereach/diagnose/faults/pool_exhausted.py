"""Every address of the pool is taken.

What happens   As many services hold an address as the pool has; the next one waits. Old MetalLB versions do not look
               at it again when another service goes.
How it looks   EXTERNAL-IP stays <pending>; `no available IPs`; other services have all addresses of the pool
Confirm        the pool's size against `kubectl get services -A`
Fix            add addresses, or free one
Not to be confused with  no-pool-for-service (nothing admits it)
References     MetalLB internal/allocator; Cilium LB IPAM out_of_ips
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.allocation import put_in, refused_for, taken_out
from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="pool-exhausted",
    class_="alloc-pool-exhausted",
    layer="allocation",
    owner=Owner.CLUSTER,
    prior=Chance(0.03, "asked only about services without an address; pools are small, often a handful of addresses"),
    summary="every address of the pool is taken",
)


def suspects(world: World) -> Iterable[Suspect]:
    return refused_for(world, FAULT, "exhausted")


def apply(world: World, suspect: Suspect) -> Changes:
    return put_in(world, suspect, "exhausted")


def remove(world: World, suspect: Suspect) -> Changes:
    return taken_out(suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="add addresses to the pool, or free one",
        commands=("kubectl get services -A | grep LoadBalancer",),
    )
