"""A better route hides the one from BGP.

What happens   A static, connected or more specific route for the address points elsewhere and wins by distance or
               length.
How it looks   the BGP route is listed and not active; the active one for the same address has another source or next
               hop
Confirm        all routes of the router that contain the address, with distance and next hop
Fix            remove the other route, or raise its distance
Not to be confused with  route-not-installed (no other route is active)
References     RFC 4271 section 9.1; every vendor's administrative distances
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_bgp
from kubereach.model.attribute import ROUTED, STATIC_ROUTES, STATIC_WINS
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="router-static-wins",
    class_="router-route-not-installed",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.006, "estimate: remains of earlier attempts"),
    summary="another route on the router wins over the one from BGP and leads elsewhere",
)


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world) or not world.get("client", ROUTED) or world.network.seen("router", STATIC_ROUTES) == ():
        return ()
    return (Suspect(fault=FAULT, subject="router"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {STATIC_WINS.of("router"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {STATIC_WINS.of("router"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="remove the route that wins, or raise its distance",
        commands=(
            "show ip route ADDRESS longer-prefixes; RouterOS: /ip route print detail where ADDRESS in dst-address",
        ),
    )
