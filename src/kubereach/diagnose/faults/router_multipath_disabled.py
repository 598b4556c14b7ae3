"""Only one of several next hops is used.

What happens   The router learns the route from several nodes and installs one: multipath is off, or the paths differ in
               what it compares.
How it looks   several valid routes, one marked best; all traffic enters at one node
Confirm        the router's maximum-paths setting; attributes of the routes
Fix            maximum-paths (or multipath) and as-path multipath-relax; on RouterOS 6 there is none
Not to be confused with  misread-expected (one best path is what the router was told to use)
References     FRR maximum-paths; Junos multipath; RFC 7911
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_bgp
from kubereach.model.attribute import MISREAD, MULTIPATH, ROUTED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="router-multipath-disabled",
    class_="router-multipath-disabled",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.032, "one path is the default of many routers, and some expect traffic to spread"),
    summary="the router uses one of several next hops",
    degrades=True,
)


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world) or not world.get("client", ROUTED) or world.get("router", MULTIPATH):
        return ()
    return (Suspect(fault=FAULT, subject="router"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {MULTIPATH.of("router"): False, MISREAD.of("client"): "uneven"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {MULTIPATH.of("router"): True, MISREAD.of("client"): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="let the router install several equal paths",
        commands=("FRR: maximum-paths 8; IOS: maximum-paths 8; Junos: multipath and a load-balance export policy",),
        side_effects=("a change of the next hops then moves established connections",),
    )
