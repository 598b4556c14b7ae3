"""A pool exists, but no L2Advertisement, BGPAdvertisement or policy announces it.

What happens   MetalLB gives out addresses from a pool and announces none of them without an advertisement object
               (since 0.13); it says nothing about that. That is also how it is combined with Calico's own BGP.
How it looks   the address is given; no answer to ARP, no route; works on the nodes
Confirm        `kubectl get l2advertisements,bgpadvertisements -A`
Fix            create one that selects the pool
Not to be confused with  service-not-selected (an object exists and does not match)
References     MetalLB speaker/main.go; concepts
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect
from kubereach.model.attribute import ANNOUNCER, BGP_POOLS, L2_POOLS, NO_ADVERTISEMENT, why
from kubereach.model.diagnosis import Owner
from kubereach.model.kube_object import CILIUM_LEASE
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="no-advertisement",
    class_="ann-no-advertisement-object",
    layer="announcement",
    owner=Owner.CLUSTER,
    prior=Chance(0.03, "MetalLB since 0.13 needs an object more than most old guides say"),
    summary="nothing announces the pool that the address comes from",
)

LEASED = Chance(0.002, "where Cilium keeps a Lease to announce a service: some policy has selected one; estimate")
CILIUM_KINDS = {
    "cilium-l2": ("CiliumL2AnnouncementPolicy",),
    "cilium-bgp": ("CiliumBGPPeeringPolicy", "CiliumBGPAdvertisement"),
}
POOLS = {"metallb-l2": L2_POOLS, "metallb-bgp": BGP_POOLS, "cilium-l2": L2_POOLS, "cilium-bgp": BGP_POOLS}


def suspects(world: World) -> Iterable[Suspect]:
    announcer = world.get("cluster", ANNOUNCER)
    if not announcer.startswith(("metallb", "cilium")):
        return ()
    network = world.network
    if network.seen("cluster", NO_ADVERTISEMENT):
        said = network.seen("cluster", why(NO_ADVERTISEMENT)) or "no advertisement"
        told = tuple((o, said) for o in network.origins("cluster", NO_ADVERTISEMENT)[:1])
        return (Suspect(fault=FAULT, subject="cluster", presence=Presence.PRESENT, because=told),)
    if network.seen("cluster", L2_POOLS) or network.seen("cluster", BGP_POOLS):
        attribute = L2_POOLS if network.seen("cluster", L2_POOLS) else BGP_POOLS
        because = tuple((o, "an advertisement selects the pool") for o in network.origins("cluster", attribute)[:1])
        return (Suspect(fault=FAULT, subject="cluster", presence=Presence.ABSENT, because=because),)
    mine = POOLS.get(announcer)
    if mine is not None and network.seen("cluster", mine) == ():
        listed = tuple((o, "there is no advertisement of that kind") for o in network.origins("cluster", mine)[:1])
        return (Suspect(fault=FAULT, subject="cluster", presence=Presence.PRESENT, because=listed),)
    if kinds := network.objects_of(*CILIUM_KINDS.get(announcer, ())):
        shown = tuple((o, f"there is a {kinds[0].kind}") for o in kinds[0].origins("spec", "metadata")[:1])
        return (Suspect(fault=FAULT, subject="cluster", presence=Presence.ABSENT, because=shown),)
    leased = any(entry.name.startswith(CILIUM_LEASE) for entry in network.objects_of("Lease"))
    return (Suspect(fault=FAULT, subject="cluster", prior=LEASED if leased else None),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {NO_ADVERTISEMENT.of("cluster"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {NO_ADVERTISEMENT.of("cluster"): False, L2_POOLS.of("cluster"): ("*",), BGP_POOLS.of("cluster"): ("*",)}


def repair(world: World, suspect: Suspect) -> Plan:
    if kinds := CILIUM_KINDS.get(world.get("cluster", ANNOUNCER)):
        return Plan(
            summary="create an advertisement that selects the service",
            commands=(f"kubectl apply -f advertisement.yaml   # kind: {kinds[-1]}",),
        )
    return Plan(
        summary="create an advertisement for the pool",
        commands=("kubectl apply -f advertisement.yaml   # kind: L2Advertisement, namespace: metallb-system",),
        condition="the pool lies in the nodes' own subnet; for a routed pool, a BGPAdvertisement instead",
    )
