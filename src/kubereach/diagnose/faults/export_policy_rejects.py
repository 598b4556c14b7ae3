"""An export policy on the node keeps the route from being sent.

What happens   A filter, route map, prefix list or community rule in the speaker's own configuration (frr.conf, BIRD's
               export filter, a peer's advertisement rules) leaves the service's route out.
How it looks   the session is up, the node has the route, the router's received routes lack it
Confirm        what the node sends: `show bgp neighbors PEER advertised-routes`, `birdcl show route export PEER`
Fix            let the filter pass the pool with its host routes
Not to be confused with  router-import-filter (the router refuses what was sent)
References     RFC 4271 section 9.2; FRR route maps; BIRD filters
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_bgp
from kubereach.model.attribute import ANNOUNCER, EXTRA_EXPORT_FILTER
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="export-policy-rejects",
    class_="ann-bgp-export-filter",
    layer="announcement-bgp",
    owner=Owner.CLUSTER,
    prior=Chance(0.008, "estimate: only speakers with hand-written filters have it"),
    summary="an export policy of the speakers keeps the service's route from the router",
)


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world) or world.get("cluster", ANNOUNCER) == "calico-bgp":
        return ()
    return (Suspect(fault=FAULT, subject="cluster"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {EXTRA_EXPORT_FILTER.of("cluster"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {EXTRA_EXPORT_FILTER.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="let the speakers' export policy pass the pool",
        commands=("vtysh -c 'show bgp neighbors PEER advertised-routes'",),
    )
