"""The aggregate alone is announced, without the host routes of policy Local.

What happens   Every node announces the whole range of load-balancer addresses, and the host routes that should lead to
               the nodes with an endpoint are not generated (older Calico announces them for cluster addresses only; a
               static announcement of the range has none). Nodes without an endpoint attract the traffic.
How it looks   the router has the range from all nodes and no host route; part of the connections time out
Confirm        the router's routes for the address; `birdcl show route` on a node with the pod
Fix            an announcer that sends host routes under policy Local, policy Cluster, or nodes without pods kept silent
Not to be confused with  bgp-session-blocked (the node's aggregate is missing too)
References     Calico confd routes.go before 3.18; Kubernetes externalTrafficPolicy
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.address import contains, host_prefix
from kubereach.model.attribute import ANNOUNCER, LB_CIDRS, NO_HOST_ROUTES, POLICY
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="aggregate-alone",
    class_="ann-from-node-without-endpoint",
    layer="announcement",
    owner=Owner.CLUSTER,
    prior=Chance(0.02, "estimate: old Calico and hand-made announcements only"),
    summary="the whole range is announced from every node, and no host route from the nodes with an endpoint",
)


def suspects(world: World) -> Iterable[Suspect]:
    flow = world.network.flow
    if world.get("cluster", ANNOUNCER) != "calico-bgp" or world.get(flow.service, POLICY) != "Local":
        return ()
    ranges = world.get("cluster", LB_CIDRS)
    wide = [r for r in ranges if r != host_prefix(flow.address) and (not flow.address or contains(r, flow.address))]
    if not wide:
        return ()
    because = tuple(
        (origin, f"every node announces {wide[0]}, whatever its endpoints")
        for origin in world.network.origins("cluster", LB_CIDRS)[:1]
    )
    return (Suspect(fault=FAULT, subject="cluster", because=because),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {NO_HOST_ROUTES.of("cluster"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {NO_HOST_ROUTES.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="have host routes announced from the nodes with an endpoint, or use policy Cluster",
        commands=("kubectl -n calico-system exec ds/calico-node -c calico-node -- birdcl show route ADDRESS all",),
        side_effects=("policy Cluster hides the client's address from the pods",),
    )
