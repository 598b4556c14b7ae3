"""A change of the next-hop set moves established connections to other nodes.

What happens   The router spreads flows over several nodes by a hash. When a next hop comes or goes, flows move to nodes
               that do not know them, and those answer with a reset or drop them.
How it looks   established connections break or hang when a node or pod comes, goes or restarts; new ones work
Confirm        the times of the breaks against changes of the next hops
Fix            resilient hashing on the router, fewer next hops, or connection state shared by a load balancer in front
               of the pods
Not to be confused with  bgp-session-flapping (which may be what changes the next hops)
References     RFC 2992; Linux nexthop resilient groups; MetalLB BGP limitations
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_bgp
from kubereach.model.attribute import MULTIPATH, REHASH, ROUTED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="router-ecmp-rehash",
    class_="router-ecmp-rehash",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.005, "estimate: seen only while next hops change, and by long connections"),
    summary="the router moves established connections to other nodes when its next hops change",
)


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world) or not world.get("client", ROUTED) or world.network.seen("router", MULTIPATH) is False:
        return ()
    return (Suspect(fault=FAULT, subject="router"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {REHASH.of("router"): True, MULTIPATH.of("router"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {REHASH.of("router"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="use resilient hashing on the router",
        commands=("the router's hash policy for equal-cost routes; ip nexthop with type resilient on Linux",),
    )
