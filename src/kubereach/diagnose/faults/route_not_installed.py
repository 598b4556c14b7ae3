"""In the BGP table but not in the forwarding table.

What happens   The next hop is unresolved, a better route hides it, or the router's kernel cannot take it.
How it looks   the route is listed without the active mark
Confirm        the router's forwarding table against its BGP table
Fix            make the next hop resolvable; remove the hiding route
Not to be confused with  router-import-filter (not in the BGP table either)
References     RFC 4271 section 9.1.2.1
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_bgp
from kubereach.model.attribute import NOT_INSTALLED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="route-not-installed",
    class_="router-route-not-installed",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.006, "estimate: routers mostly install what they accept"),
    summary="the router has the route in its BGP table and does not use it",
)


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world):
        return ()
    return (Suspect(fault=FAULT, subject="router"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {NOT_INSTALLED.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {NOT_INSTALLED.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="make the router use the route it has",
        commands=("show ip route ADDRESS",),
    )
