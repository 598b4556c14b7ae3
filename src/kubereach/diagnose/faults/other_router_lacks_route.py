"""The first router knows the route and the one that the client's packets meet does not.

What happens   The announcement stops at the peer: a second top-of-rack, an upstream router or the client's own
               gateway never learns it.
How it looks   reachable from behind the peer, not from elsewhere; traceroute ends at another router
Confirm        traceroute from the client, and the route on each router it names
Fix            redistribute the routes, or peer with that router too
Not to be confused with  bgp-session-blocked (no router has it)
References     RFC 4271 section 9.2
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import by_doubt
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_bgp
from kubereach.model.attribute import OTHER_ROUTER, PROPAGATION_DOUBT
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="other-router-lacks-route",
    class_="router-not-propagated",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.008, "estimate: most sites of this kind have one router"),
    summary="the router that the client's packets meet does not have the route",
)
SUSPECTED = Chance(0.5, "where one router is seen to lack what another one has")


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world):
        return ()
    return (by_doubt(world, FAULT, "router", ("router", PROPAGATION_DOUBT), SUSPECTED),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {OTHER_ROUTER.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {OTHER_ROUTER.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="pass the route on to the router that the client uses",
        commands=("traceroute ADDRESS   # from the client",),
    )
