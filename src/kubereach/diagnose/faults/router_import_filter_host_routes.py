"""The router's import filter admits only the exact pool prefix.

What happens   A filter for the exact prefix, or one that discards long prefixes, lets Calico's aggregate in and
               keeps the host routes of policy Local out.
How it looks   the aggregate is in the table and the host route is not, though the node exports it
Confirm        `birdcl show route export` on the node against the router's table
Fix            accept longer prefixes inside the pool
Not to be confused with  bgp-session-blocked (the node's aggregate is missing too)
References     RouterOS prefix-length; Calico confd routes.go
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import by_import_policy
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import ANNOUNCER, IMPORT_POLICY
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="router-import-filter-host-routes",
    class_="router-import-policy",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.02, "filters for the pool's exact prefix, and habits against long prefixes"),
    summary="the router accepts the aggregate and refuses host routes",
)


def suspects(world: World) -> Iterable[Suspect]:
    if world.get("cluster", ANNOUNCER) != "calico-bgp":
        return ()
    return by_import_policy(FAULT, world, "aggregates-only")


def apply(world: World, suspect: Suspect) -> Changes:
    return {IMPORT_POLICY.of(suspect.subject): "aggregates-only"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {IMPORT_POLICY.of(suspect.subject): "accept"}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="let the router accept host routes inside the pool",
        commands=("RouterOS 7: if (dst in POOL && dst-len <= 32) { accept }; 6: prefix-length=28-32",),
    )
