"""Announced with a next hop or an AS path that the receiver cannot use.

What happens   The speaker sends one address of the node as next hop on every link, sends a next hop outside the
               receiver's networks, or an AS path that holds the receiver's own number. The receiver lists the route and
               does not use it, or drops it as a loop.
How it looks   the session is up, the route is received, and it is invalid, inaccessible or hidden
Confirm        the route's next hop and AS path at the receiver (`show ip bgp PREFIX`)
Fix            next-hop-self or a source address per peer; as-override or allowas-in where nodes share an AS number
Not to be confused with  route-not-installed (the route is valid and another one is preferred)
References     RFC 4271 sections 5.1.3 and 9.1.2
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import by_doubt
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_bgp
from kubereach.model.attribute import BAD_NEXT_HOP, NEXT_HOP_DOUBT
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="bgp-bad-next-hop",
    class_="ann-bgp-bad-attributes",
    layer="announcement-bgp",
    owner=Owner.CLUSTER,
    prior=Chance(0.008, "rare: speakers send their own address"),
    summary="routes arrive with a next hop or AS path that the router cannot use",
)
SUSPECTED = Chance(0.4, "where the next hop is said to be out of reach")


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world):
        return ()
    return (by_doubt(world, FAULT, "cluster", ("router", NEXT_HOP_DOUBT), SUSPECTED),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {BAD_NEXT_HOP.of(node): True for node in world.network.nodes}


def remove(world: World, suspect: Suspect) -> Changes:
    return {BAD_NEXT_HOP.of(node): False for node in world.network.nodes}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="announce a next hop that the router has a connected route to",
        commands=(
            "show ip bgp PREFIX   # next hop, valid or inaccessible",
            "Calico: sourceAddress and nextHopMode of the BGPPeer",
        ),
    )
