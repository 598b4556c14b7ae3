"""Settings that a person could change to make a flow work: each a change of leaves, with its words and its disruption.

What stands wrong in the configuration has a fault with a repair of its own. These are settings that are right in
themselves and do not go together: a policy, where pods run, who announces, how pods are carried, a route by hand.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from kubereach.diagnose.roles import service_walk
from kubereach.model.address import host_prefix
from kubereach.model.attribute import (
    ADDRESS,
    ANNOUNCER,
    CLUSTER_AS,
    ENCAPSULATION,
    ENDPOINTS,
    EXCLUDED,
    MESH,
    PEERS,
    POLICY,
    RELAYED,
    ROUTED,
    STATIC_ROUTES,
    Endpoint,
)
from kubereach.model.diagnosis import Disruption, Owner
from kubereach.simulate.announced import EXCLUDE_LABEL, has_local
from kubereach.simulate.fate import WORKS
from kubereach.simulate.world import Changes, World

NAMED = 3  # nodes that a summary names one by one


class Setting(Struct, frozen=True, kw_only=True):
    """`leaves` is what it changes in a world, nothing where it does not apply; `words` tells it for a world."""

    leaves: Callable[[World], Changes]
    words: Callable[[World], tuple[str, tuple[str, ...]]]  # summary, commands
    owner: Owner
    disruption: Disruption
    side_effects: tuple[str, ...] = ()


def _patch(world: World, policy: str) -> tuple[str, tuple[str, ...]]:
    _, namespace, name = world.network.flow.service.split("/")
    patch = f'{{"spec":{{"externalTrafficPolicy":"{policy}"}}}}'
    return f"set externalTrafficPolicy to {policy}", (f"kubectl -n {namespace} patch service {name} -p '{patch}'",)


def _policy_cluster(world: World) -> Changes:
    service = world.network.flow.service
    return {POLICY.of(service): "Cluster"} if world.get(service, POLICY) == "Local" else {}


def _policy_local(world: World) -> Changes:
    service = world.network.flow.service
    placed = any(has_local(world, service, node) for node in world.network.nodes)
    return {POLICY.of(service): "Local"} if placed and world.get(service, POLICY) != "Local" else {}


def _failing_entries(world: World) -> tuple[str, ...]:
    """The nodes that the flow enters and does not leave well."""
    return tuple(dict.fromkeys(b.entry for b in service_walk(world).branches if b.entry and b.fate not in WORKS))


def _podless_entries(world: World) -> tuple[str, ...]:
    """Under policy Local, those of them that have no ready pod."""
    service = world.network.flow.service
    if world.get(service, POLICY) != "Local":
        return ()
    return tuple(node for node in _failing_entries(world) if not has_local(world, service, node))


def _pods(world: World) -> Changes:
    service, nodes = world.network.flow.service, _podless_entries(world)
    added = tuple(Endpoint("", node) for node in nodes)
    return {ENDPOINTS.of(service): (*world.get(service, ENDPOINTS), *added)} if nodes else {}


def _pods_in_words(world: World) -> tuple[str, tuple[str, ...]]:
    namespace = world.network.flow.service.split("/")[1]
    commands = (f"kubectl -n {namespace} edit deployment NAME   # replicas, and where they may run: taints, affinity",)
    return f"run a ready pod on {_nodes(_podless_entries(world))} too", commands


def _to_silence(world: World) -> tuple[str, ...]:
    """Under policy Local all nodes without a pod: where one falls silent, the next one attracts the flow."""
    service, nodes = world.network.flow.service, world.network.nodes
    if world.get(service, POLICY) == "Local":
        silent = tuple(n for n in nodes if not has_local(world, service, n))
    else:
        silent = _failing_entries(world)
    return silent if len(silent) < len(nodes) else ()


def _silence(world: World) -> Changes:
    return {EXCLUDED.of(node): True for node in _to_silence(world)}


def _silence_in_words(world: World) -> tuple[str, tuple[str, ...]]:
    nodes = _to_silence(world)
    names = " ".join(node.removeprefix("node/") for node in nodes)
    return f"keep {_nodes(nodes)} from announcing", (f"kubectl label node {names} {EXCLUDE_LABEL}=true --overwrite",)


def _calico_mesh_off(world: World) -> bool:
    return world.get("cluster", ANNOUNCER) == "calico-bgp" and not world.get("cluster", MESH)


def _external(world: World) -> bool:
    """Whether there is a peer of another AS, to which nodes pass each other's host routes on (calico.md section 3)."""
    own = world.get("cluster", CLUSTER_AS)
    return any(p.asn is not None and p.asn != own and not p.keep_next_hop for p in world.get("cluster", PEERS))


_MESH_ON = 'kubectl patch bgpconfiguration default --type merge -p \'{"spec":{"nodeToNodeMeshEnabled":true}}\''
_KEEP = 'kubectl patch bgppeer NAME --type merge -p \'{"spec":{"keepOriginalNextHop":true}}\''


def _mesh(world: World) -> Changes:
    return {MESH.of("cluster"): True, RELAYED.of("cluster"): _external(world)} if _calico_mesh_off(world) else {}


def _mesh_in_words(_world: World) -> tuple[str, tuple[str, ...]]:
    return "switch the node-to-node mesh on", (_MESH_ON,)


def _keep_next_hop(world: World) -> Changes:
    return {RELAYED.of("cluster"): False} if world.get("cluster", RELAYED) else {}


def _keep_next_hop_in_words(_world: World) -> tuple[str, tuple[str, ...]]:
    return "keep the original next hop towards the router", (_KEEP,)


def _vxlan(world: World) -> Changes:
    calico = world.get("cluster", ANNOUNCER) == "calico-bgp" or "calico" in world.network.stack
    return {ENCAPSULATION.of("cluster"): "vxlan"} if calico and world.get("cluster", ENCAPSULATION) != "vxlan" else {}


def _vxlan_in_words(world: World) -> tuple[str, tuple[str, ...]]:
    pools = [pool.name for pool in world.network.objects_of("IPPool")]
    patch = '{"spec":{"vxlanMode":"Always","ipipMode":"Never"}}'
    return "carry the pods' packets in VXLAN", (
        f"kubectl patch ippool {pools[0] if len(pools) == 1 else 'POOL'} --type merge -p '{patch}'",
    )


def _with_pod(world: World) -> str:
    service = world.network.flow.service
    return next((n for n in world.network.nodes if has_local(world, service, n)), "")


def _static(world: World) -> Changes:
    address, node = world.network.flow.address, _with_pod(world)
    if not address or not node or not world.get("client", ROUTED):
        return {}
    known = world.get("router", STATIC_ROUTES)
    return {STATIC_ROUTES.of("router"): ((host_prefix(address), world.get(node, ADDRESS) or node), *known)}


def _static_in_words(world: World) -> tuple[str, tuple[str, ...]]:
    node = _with_pod(world)
    name = node.removeprefix("node/")
    prefix, via = host_prefix(world.network.flow.address), world.get(node, ADDRESS) or f"ADDRESS-OF-{name}"
    commands = (
        f"/ip route add dst-address={prefix} gateway={via}"
        if world.network.stack & {"routeros", "mikrotik"}
        else f"ip route add {prefix} via {via}",
    )
    return f"set a static route on the router to {prefix} by way of {name}", commands


def _nodes(nodes: tuple[str, ...]) -> str:
    names = [node.removeprefix("node/") for node in nodes]
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} more nodes"]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


POLICY_CLUSTER = Setting(
    leaves=_policy_cluster,
    words=lambda world: _patch(world, "Cluster"),
    owner=Owner.CLUSTER,
    disruption=Disruption.SERVICE,
    side_effects=("the pods no longer see the client's address",),
)
MESH_ON = Setting(
    leaves=_mesh,
    words=_mesh_in_words,
    owner=Owner.CLUSTER,
    disruption=Disruption.CLUSTER,
    side_effects=("nodes pass each other's service routes on to the router, with themselves as next hop",),
)
SILENCE = Setting(
    leaves=_silence,
    words=_silence_in_words,
    owner=Owner.CLUSTER,
    disruption=Disruption.NODE,
    side_effects=("MetalLB and cloud controllers skip the node too",),
)
SETTINGS = (
    POLICY_CLUSTER,
    Setting(
        leaves=_policy_local,
        words=lambda world: _patch(world, "Local"),
        owner=Owner.CLUSTER,
        disruption=Disruption.SERVICE,
        side_effects=("only nodes that run a ready pod serve the address",),
    ),
    Setting(
        leaves=_pods,
        words=_pods_in_words,
        owner=Owner.CLUSTER,
        disruption=Disruption.WORKLOAD,
        side_effects=("it holds as long as a pod stays there",),
    ),
    SILENCE,
    MESH_ON,
    Setting(
        leaves=_keep_next_hop,
        words=_keep_next_hop_in_words,
        owner=Owner.CLUSTER,
        disruption=Disruption.AGENT,
        side_effects=("pod blocks keep their next hop as well",),
    ),
    Setting(
        leaves=_vxlan,
        words=_vxlan_in_words,
        owner=Owner.CLUSTER,
        disruption=Disruption.CLUSTER,
        side_effects=("a tunnel takes 50 bytes of the MTU, and UDP port 4789 must be open between the nodes",),
    ),
    Setting(
        leaves=_static,
        words=_static_in_words,
        owner=Owner.NETWORK,
        disruption=Disruption.ROUTER,
        side_effects=("it does not follow the pod, and hides that no announcement arrives",),
    ),
)
