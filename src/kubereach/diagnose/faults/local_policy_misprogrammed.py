"""Policy Local is broken by a kube-proxy or CNI fault.

What happens   A node with a ready local endpoint does not deliver under policy Local: the CNI masquerades or takes the
               traffic away, node names differ so that no endpoint counts as local, or rules for Local lack a port.
How it looks   works with policy Cluster, silent with Local, on the very node that runs the pod; "no local endpoints"
               in that node's rules, or 503 from its health-check port; kube-proxy cannot retrieve its node's info
Confirm        set the policy to Cluster for a moment; kube-proxy's --hostname-override against `kubectl get nodes`
Fix            make the CNI leave the source alone (Weave: NO_MASQ_LOCAL=1); make the names agree
Not to be confused with  no-local-endpoint-policy (the node has no endpoint)
References     kubernetes pkg/proxy/endpointslicecache.go isLocal; Weave Net NO_MASQ_LOCAL; klipper-lb
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, tells
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import ANNOUNCER, CNI, LOCAL_BROKEN, POLICY
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="local-policy-misprogrammed",
    class_="proxy-etp-local-misprogrammed",
    layer="service-proxy",
    owner=Owner.CLUSTER,
    prior=Chance(0.01, "a bug or a wrong node name"),
    summary="policy Local does not work on {name} although it has the endpoint",
)


MEDDLED = Chance(0.12, "where a CNI is in use that takes or masquerades such traffic itself")


def suspects(world: World) -> Iterable[Suspect]:
    flow = world.network.flow
    if world.get(flow.service, POLICY) != "Local":
        return
    cni = world.get("cluster", CNI) or ""
    # Weave masquerades by default, and ServiceLB's own hop stands between the client and the rules for Local.
    meddles = cni.startswith("weave") or "weave" in world.network.stack or world.get("cluster", ANNOUNCER) == "klipper"
    prior = MEDDLED if meddles else FAULT.prior
    nodes = affected_nodes(world, LOCAL_BROKEN)
    yield from by_leaf(FAULT, world, nodes, LOCAL_BROKEN, "the rules for policy Local are wrong", prior)


def apply(world: World, suspect: Suspect) -> Changes:
    # kube-proxy cannot find itself where its name is another than the node's (pkg/util/node, GetNodeIP).
    return {LOCAL_BROKEN.of(suspect.subject): True, **tells(world, "~failed-to-retrieve-node-info")}


def remove(world: World, suspect: Suspect) -> Changes:
    return {LOCAL_BROKEN.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"find what breaks policy Local on {suspect.name}, or use policy Cluster",
        commands=("kubectl -n kube-system logs -l k8s-app=kube-proxy | grep -i hostname",),
    )
