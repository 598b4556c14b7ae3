"""A pool that is only routed lies inside the client's own subnet.

What happens   The client takes the address for one of its own segment and asks for it by ARP; the nodes announce it by
               BGP only, so nobody answers, though the router has the route.
How it looks   clients of other subnets reach the service, those of the nodes' subnet get `no route to host`
Confirm        `ip route get ADDRESS` on the client has no `via`; the neighbour entry is FAILED
Fix            a pool outside every client's subnet, layer 2 for it, or proxy ARP on the router
Not to be confused with  pool-not-on-link (the reverse: a layer-2 pool outside the subnet)
References     RFC 826; MetalLB BGP concepts
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect, speaks_bgp
from kubereach.model.address import contains
from kubereach.model.attribute import ADDRESS, ROUTED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="client-onlink-pool",
    class_="client-onlink-pool-bgp",
    layer="client",
    owner=Owner.NETWORK,
    prior=Chance(0.015, "takes a routed pool inside the clients' own subnet"),
    summary="the routed pool lies inside the client's own subnet, so the client asks its segment and not the router",
)
# The pool lies in the nodes' subnet, and where the client is was not said.
BESIDE_THE_NODES = Chance(0.15, "where the pool lies beside the nodes' own addresses")


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world):
        return ()
    network = world.network
    routed = network.seen("client", ROUTED)
    if routed is not None:
        where = network.origins("client", ROUTED) or network.origins("client", ADDRESS)
        said = "the address lies outside the client's subnet" if routed else "the client's own subnet holds the address"
        presence = Presence.ABSENT if routed else Presence.PRESENT
        because = tuple((o, said) for o in where[:1])
        return (Suspect(fault=FAULT, subject="client", presence=presence, because=because),)
    nodes = [a for n in network.nodes if (a := network.seen(n, ADDRESS)) and "." in a]
    beside = network.flow.address and any(contains(f"{a}/24", network.flow.address) for a in nodes)
    return (Suspect(fault=FAULT, subject="client", prior=BESIDE_THE_NODES if beside else None),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {ROUTED.of("client"): False}


def remove(world: World, suspect: Suspect) -> Changes:
    return {ROUTED.of("client"): True}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="move the pool out of the subnet, or announce it on layer 2, or let the router answer by proxy ARP",
        commands=("ip route get ADDRESS   # on the client: no `via` means that it asks its own segment",),
    )
