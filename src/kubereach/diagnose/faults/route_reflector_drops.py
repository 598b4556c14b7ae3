"""The route reflector does not pass on the host routes of services.

What happens   Nodes peer with reflectors only, and a reflector without an endpoint of its own drops other nodes'
               single-address service routes: Calico before 3.27.3 exports them only where the reflector has the static
               route itself.
How it looks   the worker's BIRD has the host route, the router lacks it, and has it as soon as a pod runs on a
               reflector node
Confirm        `birdcl show route export PEER` on the reflector
Fix            Calico 3.27.3 or later, or peer every node with the router
Not to be confused with  service-not-selected (the worker has no such route either)
References     Calico confd bird templates 3.26 and 3.27.3
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import ANNOUNCER, BEHIND_REFLECTOR, EXTRA_EXPORT_FILTER, MESH
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="route-reflector-drops",
    class_="ann-service-not-selected",
    layer="announcement",
    owner=Owner.CLUSTER,
    prior=Chance(0.004, "clusters with route reflectors only, and Calico before 3.27.3"),
    summary="the route reflectors do not pass on the service's host route",
)
SUSPECTED = Chance(0.2, "where reflectors are in use")


def suspects(world: World) -> Iterable[Suspect]:
    if world.get("cluster", ANNOUNCER) != "calico-bgp" or world.network.seen("cluster", MESH) is True:
        return ()
    where = world.network.origins("cluster", BEHIND_REFLECTOR)[:1]
    because = tuple((origin, "the nodes peer with route reflectors") for origin in where)
    prior = SUSPECTED if world.network.seen("cluster", BEHIND_REFLECTOR) else None
    return (Suspect(fault=FAULT, subject="cluster", prior=prior, because=because),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {EXTRA_EXPORT_FILTER.of("cluster"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {EXTRA_EXPORT_FILTER.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="have the reflectors pass on service routes (Calico 3.27.3), or peer every node with the router",
        commands=(
            "kubectl -n calico-system exec POD -c calico-node -- birdcl show route export PEER   # on a reflector",
        ),
    )
