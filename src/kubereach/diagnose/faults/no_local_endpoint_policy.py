"""Policy Local, and the packet enters a node without a ready local endpoint.

What happens   iptables and nftables modes drop it, IPVS before 1.24 refuses it, IPVS since 1.24 passes it on to a
               remote pod without translating the source, so that the answer comes from the pod's own address.
How it looks   silence (or refusal), while the node's own ping and ssh on that address may answer
Confirm        `ipvsadm -Ln` or the rules on the entry node; the health-check node port answers 503 there
Fix            bring the traffic to nodes with an endpoint, or set the policy to Cluster
Not to be confused with  no-ready-endpoints (there is none anywhere)
References     kubernetes PR 97081 (1.24); pkg/proxy/ipvs/proxier.go syncEndpoint
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect, entry_nodes
from kubereach.model.attribute import ENDPOINTS, KUBERNETES_MINOR, POLICY, PROXY_MODE, Endpoint
from kubereach.model.diagnosis import Owner
from kubereach.model.origin import Origin
from kubereach.simulate.announced import has_local, ready_endpoints
from kubereach.simulate.proxy import FALLBACK_MINOR
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="no-local-endpoint-policy",
    class_="proxy-no-local-endpoint",
    layer="service-proxy",
    owner=Owner.CLUSTER,
    prior=Chance(0.02, "estimate, where the place of the pods is not known: few services have policy Local"),
    summary="the policy is Local, and the packet enters a node that has no ready endpoint",
    by_design=True,
)


_LOCAL = "the policy is Local"
POLICY_SHOWN = Chance(0.06, "where the policy is shown: who shows it is in doubt about it more often than not")


def suspects(world: World) -> Iterable[Suspect]:
    flow = world.network.flow
    placed = ENDPOINTS.of(flow.service) in world.changes  # a variant says where the pods run
    known = world.get(flow.service, ENDPOINTS) if placed else world.network.seen(flow.service, ENDPOINTS)
    if world.get(flow.service, POLICY) != "Local" or not ready_endpoints(world, flow.service):
        return
    if known is None:
        policy = world.network.origins(flow.service, POLICY)[:1]
        prior = POLICY_SHOWN if policy else FAULT.prior
        yield Suspect(fault=FAULT, subject=flow.service, prior=prior, because=tuple((o, _LOCAL) for o in policy))
        return
    if not any(e.node for e in known):
        return  # who runs the pods is not known
    if all(has_local(world, flow.service, node) for node in world.network.nodes):
        return
    policy = world.network.origins(flow.service, POLICY)[:1]
    endpoints = world.network.origins(flow.service, ENDPOINTS)[:1]
    because = (
        *((origin, _LOCAL) for origin in policy),
        *((origin, "not every node has a ready endpoint") for origin in endpoints),
        *_fallback(world),
    )
    yield Suspect(fault=FAULT, subject=flow.service, presence=Presence.PRESENT, because=because)


def concerns(world: World, suspect: Suspect) -> bool:
    """Only a flow that enters a node without an endpoint is concerned."""
    return any(not has_local(world, suspect.subject, node) for node in entry_nodes(world))


def _fallback(world: World) -> tuple[tuple[Origin, str], ...]:
    """What IPVS does then, where mode and version are known to be the ones that do it."""
    minor = world.network.seen("cluster", KUBERNETES_MINOR)
    if world.network.seen("cluster", PROXY_MODE) != "ipvs" or minor is None or minor < FALLBACK_MINOR:
        return ()
    says = (
        f"IPVS of 1.{minor} passes it to a remote pod without translating the source, "
        "so that any answer would carry the pod's own address, which the client does not know"
    )
    return tuple((origin, says) for origin in world.network.origins("cluster", KUBERNETES_MINOR)[:1])


def apply(world: World, suspect: Suspect) -> Changes:
    if world.network.seen(suspect.subject, ENDPOINTS) is not None:
        return {POLICY.of(suspect.subject): "Local"}
    entered = entry_nodes(world)
    elsewhere = next((node for node in world.network.nodes if node not in entered), "")
    return {ENDPOINTS.of(suspect.subject): (Endpoint("", elsewhere or "node/(yet another node)"),)}


def remove(world: World, suspect: Suspect) -> Changes:
    return {POLICY.of(world.network.flow.service): "Cluster"}


def repair(world: World, suspect: Suspect) -> Plan:
    _, namespace, name = world.network.flow.service.split("/")
    patch = '{"spec":{"externalTrafficPolicy":"Cluster"}}'
    return Plan(
        summary="set externalTrafficPolicy to Cluster",
        commands=(f"kubectl -n {namespace} patch service {name} -p '{patch}'",),
        side_effects=("the pods no longer see the client's address", "one more hop where the pod is on another node"),
    )
