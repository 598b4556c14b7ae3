"""From a node or a pod of the cluster, whose own rules catch the packet at once."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from kubereach.model import attribute as a
from kubereach.model.attribute import Endpoint
from kubereach.simulate import fabric
from kubereach.simulate.arp import responders
from kubereach.simulate.bgp import in_own_table
from kubereach.simulate.delivery import FATES, at_node, closed, denied, forwarding, kept_from_pod, on_node, passed_on
from kubereach.simulate.fate import Branch, Fate, Packet, Step, Walk
from kubereach.simulate.proxy import Aim, Treated, Treatment, aim, blackholed, serves, treat
from kubereach.simulate.ways import Way
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
    taken = packet.address == world.network.flow.address and world.get(service, a.ADDRESS_TAKEN)
    if not packet.source.startswith("node/") or not taken:
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
    external = aim(world, service, packet.address) is Aim.EXTERNAL
    if external and kind == "node" and (share := _kept_out(world, service, node)):
        why = "loadBalancerSourceRanges does not admit the node"
        lost = Branch(weight * share, Fate.LOST, node, why, node)
        rest = weight * (1 - share)
        return [lost, *(_admitted(world, service, packet, node, kind, rest) if rest else [])]
    return _admitted(world, service, packet, node, kind, weight)


def _kept_out(world: World, service: str, node: str) -> float:
    """How likely source ranges keep a node out: ranges that are known to deny the client and are not seen may do so."""
    if denied(world, service, node):
        return 1.0
    return 0.5 if world.get(service, a.RANGES_DENY) and not world.get(service, a.SOURCE_RANGES) else 0.0


def _admitted(world: World, service: str, packet: Packet, node: str, kind: str, weight: float) -> list[Branch]:
    external = aim(world, service, packet.address) is Aim.EXTERNAL
    owned = world.get("cluster", a.PROXY_MODE) == "ipvs"  # then the address is local, which wins over any route
    if external and kind == "node" and not owned and blackholed(world, service, packet.address, node):
        why = "BIRD's blackhole route for the address is in the node's kernel, which routes before it translates"
        return [Branch(weight, Fate.UNREACHABLE, node, why, node)]
    treated = treat(world, service, packet.address, packet.port, node, kind)
    if external and kind == "node" and _let_out(world, treated):
        return _by_routing_table(world, service, packet, node, weight)
    steps = (Step("translate", node, treated.why),)
    if treated.kind is not Treatment.TRANSLATED:
        return [Branch(weight, FATES[treated.kind], node, treated.why, node, forward=steps)]
    found = []
    for endpoint in treated.endpoints:
        fate, why = _inside_fate(world, service, node, kind, endpoint, treated)
        share = weight / len(treated.endpoints)
        found.append(Branch(share, fate, node, why, node, endpoint.node, forward=steps))
    return found


def _let_out(world: World, treated: Treated) -> bool:
    """Whether a node's own packet leaves by its routing table, as one to any other host.

    No rule matches it, or the rule that would reject it is not hooked on OUTPUT: KUBE-EXTERNAL-SERVICES is in INPUT and
    FORWARD only (kube-proxy.md 2.3); the nftables mode rejects on output too.
    """
    if treated.kind in {Treatment.LOOPS, Treatment.ASKS}:
        return True
    return treated.kind is Treatment.REFUSED and world.get("cluster", a.PROXY_MODE) == "iptables"


def _by_routing_table(world: World, service: str, packet: Packet, node: str, weight: float) -> list[Branch]:
    """To the router and by its route into the cluster again; or to whoever answers ARP on the segment.

    The nodes' router is the one that their sessions fill, whichever meets the client's packets.
    """
    if world.get("cluster", a.ANNOUNCER).endswith(("-l2", "-arp")):
        entries = [n for n in responders(world, service, packet.address) if n != node]
        if not entries:
            return [Branch(weight, Fate.NO_NEIGHBOUR, node, "nobody answers for the address", node)]
    else:
        entries = [route.node for route in in_own_table(world, service, packet.address)]
        if not entries:
            return [Branch(weight, Fate.NO_ROUTE, "router", "the router has no route to the address", node)]
    share = weight / len(entries)
    found: list[Branch] = []
    for entry in entries:
        if entry == node:
            why = "it comes back to the node that sent it, whose own address is a martian source"
            found.append(Branch(share, Fate.LOST, node, why, node))
        elif entry in world.network.nodes:
            step = Step("route", node, f"no rule catches it, and it goes to {entry.removeprefix('node/')}")
            found += _half_seen(world, at_node(world, service, packet, Way(share, entry, (step,))))
        else:
            found.append(Branch(share, Fate.LOST, "router", f"the next hop {entry} is no node of the cluster", node))
    return found


def _half_seen(world: World, branches: Sequence[Branch]) -> Sequence[Branch]:
    """Nodes answer each other past the router that the request passed; one that is stateful drops what comes next."""
    layer2 = world.get("cluster", a.ANNOUNCER).endswith(("-l2", "-arp"))
    if layer2 or not world.get("router", a.DROPS_INVALID):
        return branches
    why = "the router saw only one direction and drops the node's next packet as invalid"
    stalled = (replace(b, fate=Fate.STALLS, at="router", why=why) if b.fate is Fate.DELIVERED else b for b in branches)
    return list(stalled)


def _inside_fate(
    world: World, service: str, node: str, kind: str, endpoint: Endpoint, treated: Treated
) -> tuple[Fate, str]:
    other = endpoint.node or node
    if reason := fabric.lost_between(world, node, other):
        return Fate.LOST, reason
    if kind == "pod" and (reason := forwarding(world, service, node, Packet("pod/", "", 1))):
        return Fate.LOST, reason
    if other != node and (reason := passed_on(world, other, from_node=True)):
        return Fate.LOST, reason
    if other != node and (stopped := kept_from_pod(world, other)):
        return stopped
    if "calico" in world.network.stack and on_node(world, other, a.FORWARDING_OFF):
        # The pod's gateway 169.254.1.1 is answered for by proxy ARP, which a host that does not forward does not do.
        return Fate.LOST, "the pod's node does not forward, so nobody answers ARP for the pod's gateway"
    if world.get(service, a.WRONG_POD_NETWORK) and other != node:
        return Fate.NO_NEIGHBOUR, "the pod's address is of a network that ends at its own node"
    own_source = kind == "node" and other != node and not treated.masquerade
    if own_source and not fabric.tunnel_masquerades(world):
        # The source is the service's address, which is local on the other node too (kube-proxy.md section 3.2 b).
        return Fate.LOST, "the packet's source is the service's own address, a martian on the other node"
    if other != node and kind == "node" and world.get("cluster", a.CHECKSUM_BROKEN):
        return Fate.SLOW, "the tunnel sends wrong checksums, which the other node discards"
    return _at_pod(world, service, kind, own=other == node)


def _at_pod(world: World, service: str, kind: str, *, own: bool) -> tuple[Fate, str]:
    """What becomes of it at the pod, and of the answer; `own`: it comes from the pod's own node."""
    if reason := closed(world, service):
        return Fate.REFUSED, reason
    # A policy never keeps a pod's own node out (Kubernetes NetworkPolicy; Calico defaultEndpointToHostAction).
    if world.get(service, a.POLICY_DROP) and (kind == "pod" or not own):
        return Fate.LOST, "a network policy drops it"
    if world.get("cluster", a.FORWARD_MTU) and not own:
        return Fate.PARTIAL, "encapsulated full-size packets do not fit between the nodes"
    if world.get(service, a.APP_ERROR):
        return Fate.ERROR, "the application answers with an error"
    return Fate.DELIVERED, "the application answers"
