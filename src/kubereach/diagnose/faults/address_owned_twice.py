"""The pool holds addresses that something else owns.

What happens   Nodes, the gateway, hosts of a DHCP range or a second cluster with the same pool have the address too. In
               IPVS mode every node then takes a node's own address for its local one.
How it looks   two owners answer, or the wrong one; a node becomes unreachable once the service exists
Confirm        `arping -D` for the address without the service; the pool against nodes, gateway and DHCP
Fix            a range of its own for each pool
Not to be confused with  l2-two-announcers (both owners are this cluster's)
References     MetalLB requirements; kube-proxy IPVS externalIPs
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect, speaks_layer2
from kubereach.model.attribute import ADDRESS_TAKEN, POOL_SHARED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="address-owned-twice",
    class_="alloc-pool-overlap",
    layer="allocation",
    owner=Owner.CLUSTER,
    prior=Chance(0.005, "pools are mostly cut out of a free range"),
    summary="something else owns the service's address too",
)
SHARED_RANGE = Chance(0.5, "where a range that somebody else gives out as well is known")


def suspects(world: World) -> Iterable[Suspect]:
    service = world.network.flow.service
    if taken := world.network.seen(service, ADDRESS_TAKEN):
        because = tuple((o, taken) for o in world.network.origins(service, ADDRESS_TAKEN)[:1])
        return (Suspect(fault=FAULT, subject=service, presence=Presence.PRESENT, because=because),)
    shared = world.network.seen(service, POOL_SHARED)
    if not speaks_layer2(world) and not shared:
        return ()
    because = tuple((o, shared) for o in world.network.origins(service, POOL_SHARED)[:1]) if shared else ()
    return (Suspect(fault=FAULT, subject=service, prior=SHARED_RANGE if shared else None, because=because),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {ADDRESS_TAKEN.of(suspect.subject): "another host"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {ADDRESS_TAKEN.of(suspect.subject): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="take addresses for the pool that nothing else has: no node, gateway, DHCP range or other cluster",
        commands=("arping -D -c 3 ADDRESS   # while no service has it",),
    )
