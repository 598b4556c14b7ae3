"""From a node or a pod of the cluster, whose own rules catch the packet at once."""

from __future__ import annotations

from kubereach.model import attribute as a
from kubereach.model.attribute import Endpoint
from kubereach.simulate import fabric
from kubereach.simulate.delivery import FATES, closed, forwarding
from kubereach.simulate.fate import Branch, Fate, Packet, Step, Walk
from kubereach.simulate.proxy import Aim, Treated, Treatment, aim, serves, treat
from kubereach.simulate.world import World


def inside(world: World, service: str, packet: Packet) -> Walk:
    """From a node or a pod of the cluster, whose own rules catch the packet at once."""
    kind = "pod" if packet.source.startswith("pod/") else "node"
    nodes = [packet.source] if packet.source in world.network.nodes else list(world.network.nodes)
    branches: list[Branch] = []
    for node in nodes:
        branches += _from_node(world, service, packet, node, kind, 1 / len(nodes))
    return Walk(tuple(branches))


def taken_inside(world: World, service: str, packet: Packet) -> bool:
    """Whether a node asks for another host's address that IPVS has bound on every node, for no service."""
    if not packet.source.startswith("node/") or not world.get(service, a.ADDRESS_TAKEN):
        return False
    asked = packet.port is not None and serves(world, service, packet.address, packet.port)
    served = asked and world.known(service, a.PORTS)
    return world.get("cluster", a.PROXY_MODE) == "ipvs" and not served


def _from_node(world: World, service: str, packet: Packet, node: str, kind: str, weight: float) -> list[Branch]:
    if world.get("cluster", a.HAIRPIN) and aim(world, service, packet.address) is Aim.EXTERNAL:
        why = "a packet from inside the cluster is short-circuited into a dead end"
        if world.get("cluster", a.PROXY_PROTOCOL):
            why = "a packet from inside the cluster passes by the load balancer and lacks its PROXY header"
            return [Branch(weight, Fate.ERROR, node, why, node)]
        return [Branch(weight, Fate.LOST, node, why, node)]
    treated = treat(world, service, packet.address, packet.port, node, kind)
    steps = (Step("translate", node, treated.why),)
    if treated.kind is not Treatment.TRANSLATED:
        return [Branch(weight, FATES[treated.kind], node, treated.why, node, forward=steps)]
    found = []
    for endpoint in treated.endpoints:
        fate, why = _inside_fate(world, service, node, kind, endpoint, treated)
        share = weight / len(treated.endpoints)
        found.append(Branch(share, fate, node, why, node, endpoint.node, forward=steps))
    return found


def _inside_fate(
    world: World, service: str, node: str, kind: str, endpoint: Endpoint, treated: Treated
) -> tuple[Fate, str]:
    other = endpoint.node or node
    if reason := fabric.lost_between(world, node, other):
        return Fate.LOST, reason
    if kind == "pod" and (reason := forwarding(world, service, node, Packet("pod/", "", 1))):
        return Fate.LOST, reason
    if world.get(service, a.WRONG_POD_NETWORK) and other != node:
        return Fate.NO_NEIGHBOUR, "the pod's address is of a network that ends at its own node"
    own_source = kind == "node" and other != node and not treated.masquerade
    if own_source and not fabric.tunnel_masquerades(world):
        # The source is the service's address, which is local on the other node too (kube-proxy.md section 3.2 b).
        return Fate.LOST, "the packet's source is the service's own address, a martian on the other node"
    if other != node and kind == "node" and world.get("cluster", a.CHECKSUM_BROKEN):
        return Fate.SLOW, "the tunnel sends wrong checksums, which the other node discards"
    if reason := closed(world, service):
        return Fate.REFUSED, reason
    # A policy never keeps a pod's own node out (Kubernetes NetworkPolicy; Calico defaultEndpointToHostAction).
    if world.get(service, a.POLICY_DROP) and (kind == "pod" or other != node):
        return Fate.LOST, "a network policy drops it"
    if world.get(service, a.APP_ERROR):
        return Fate.ERROR, "the application answers with an error"
    return Fate.DELIVERED, "the application answers"
