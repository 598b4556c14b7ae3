"""The layer-2 pool is not in the subnet of the nodes' segment.

What happens   A host asks by ARP only for addresses of its own subnets; all others go to the gateway, which has no
               route to the pool and does not ask for it either.
How it looks   no ARP request for the address is ever seen, no route to host; works on the nodes
Confirm        the pool against the prefix on the nodes' and the gateway's interface
Fix            a pool out of that subnet, or a route on the gateway, or BGP
Not to be confused with  client-onlink-pool-bgp (the reverse: a routed pool inside the subnet)
References     RFC 826; MetalLB layer 2 concepts
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.decided import decided
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_layer2
from kubereach.model.address import contains
from kubereach.model.attribute import ADDRESS, POOL_OFFLINK, ROUTED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="pool-not-on-link",
    class_="ann-l2-pool-not-onlink",
    layer="announcement-l2",
    owner=Owner.CLUSTER,
    prior=Chance(0.02, "a free range of one's own choice looks as good as one of the subnet to who is new to layer 2"),
    summary="the address is outside the subnet of the nodes' segment, so nobody there asks for it",
)
CLOSE_BY = Chance(0.001, "in the 24 bits of a node's address: few segments are smaller")
# Where nothing of the node's addresses shares even the first half with the address.
FAR_AWAY = Chance(0.7, "where none of the nodes' addresses shares even the first half with the address")


def suspects(world: World) -> Iterable[Suspect]:
    flow = world.network.flow
    if not speaks_layer2(world) or not flow.address:
        return ()
    nodes = [
        a for n in world.network.nodes if (a := world.network.seen(n, ADDRESS)) and (":" in a) == (":" in flow.address)
    ]
    near = [a for a in nodes if contains(f"{a}/{32 if ':' in a else 16}", flow.address)]
    if any(contains(f"{a}/{64 if ':' in a else 24}", flow.address) for a in nodes):
        return decided(world, FAULT, (flow.service, POOL_OFFLINK), CLOSE_BY)
    return decided(world, FAULT, (flow.service, POOL_OFFLINK), FAR_AWAY if nodes and not near else None)


def apply(world: World, suspect: Suspect) -> Changes:
    return {POOL_OFFLINK.of(suspect.subject): True, ROUTED.of("client"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {POOL_OFFLINK.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="take the pool from the nodes' own subnet, or route it to the nodes",
        commands=("ip -br addr   # on a node, against the pool",),
    )
