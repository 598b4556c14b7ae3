"""No node counts as having a ready endpoint.

What happens   Under policy Local only nodes with a ready endpoint and an agent announce. Endpoints without a node name
               (placeholders, external ones), or on nodes that the agent does not tolerate, leave nobody.
How it looks   the address is given, endpoints exist, nobody announces; policy Cluster works
Confirm        nodeName of the endpoints against the nodes with an agent
Fix            tolerations for the agent, or policy Cluster
Not to be confused with  no-ready-endpoints (there is none at all)
References     MetalLB speaker (noLocalEndpoints); Cilium BGP with externalTrafficPolicy Local
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect
from kubereach.model.attribute import AGENT_NODES, ENDPOINTS, ENDPOINTS_UNCOUNTED, POLICY
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="endpoints-not-counted",
    class_="ann-no-eligible-node-endpoints",
    layer="announcement",
    owner=Owner.CLUSTER,
    prior=Chance(0.008, "takes endpoints of an unusual kind or nodes without an agent"),
    summary="no node with an announcing agent counts as having a ready endpoint",
)
DUMMY = "192.192.192.192"  # Cilium's placeholder endpoint of Ingress and Gateway services


def suspects(world: World) -> Iterable[Suspect]:
    service = world.network.flow.service
    if world.get(service, POLICY) != "Local":
        return ()
    endpoints = world.network.seen(service, ENDPOINTS)
    runs = world.network.seen("cluster", AGENT_NODES)
    where = world.network.origins(service, ENDPOINTS)[:1]
    nodes = {e.node for e in endpoints or () if e.ready and e.node}
    if world.network.seen(service, ENDPOINTS_UNCOUNTED):
        where = world.network.origins(service, ENDPOINTS_UNCOUNTED)[:1]
        said = "its endpoint slices name no node, and announcers count by that name alone"
        return (
            Suspect(fault=FAULT, subject=service, presence=Presence.PRESENT, because=tuple((o, said) for o in where)),
        )
    if endpoints and all(e.address == DUMMY for e in endpoints):
        said = f"its only endpoint is the placeholder {DUMMY}, which is on no node"
    elif nodes and runs and not nodes & set(runs):
        where = (*where, *world.network.origins("cluster", AGENT_NODES)[:1])
        said = "its endpoints are on nodes where no announcing agent runs"
    else:
        return (Suspect(fault=FAULT, subject=service),)
    because = tuple((o, said) for o in where)
    return (Suspect(fault=FAULT, subject=service, presence=Presence.PRESENT, because=because),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {ENDPOINTS_UNCOUNTED.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    changes: dict[tuple[str, str], object] = {
        ENDPOINTS_UNCOUNTED.of(suspect.subject): False,
        AGENT_NODES.of("cluster"): (),
    }
    if not any(e.node for e in world.get(suspect.subject, ENDPOINTS)):
        changes[POLICY.of(suspect.subject)] = "Cluster"
    return changes


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="let the agent run where the endpoints are (tolerations), or use policy Cluster",
        commands=(
            "kubectl get endpointslices -o wide; kubectl get pods -A -o wide | grep -E 'speaker|cilium|kube-vip'",
        ),
    )
