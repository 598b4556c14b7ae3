"""The packet's walk: from a source to the service's address over every branch, and back.

A walk ends in one of a closed set of fates. Branches that exist at the same time (equal-cost routes, several ARP
responders) make success intermittent; branches of which one holds, but which is not known, make it uncertain.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from kubereach.model import attribute as a
from kubereach.model.address import contains, parse_prefix
from kubereach.model.attribute import Endpoint
from kubereach.simulate import fabric
from kubereach.simulate.announced import given
from kubereach.simulate.arp import responders
from kubereach.simulate.bgp import best, comes_and_goes, spreads
from kubereach.simulate.proxy import Aim, Treated, Treatment, aim, own_node, serves, treat
from kubereach.simulate.world import World


class Fate(StrEnum):
    """How a branch ends, seen from the sender."""

    DELIVERED = "delivered"  # the application answered
    ERROR = "error"  # the application answered with an error
    HOST = "host"  # a node's own stack answered in the service's name
    REFUSED = "refused"  # RST or ICMP port unreachable
    UNREACHABLE = "unreachable"  # ICMP host or administratively prohibited
    NO_NEIGHBOUR = "no neighbour"  # nobody answers ARP or NDP
    NO_ROUTE = "no route"  # the router knows no way
    LOOPS = "loops"  # between router and node until the TTL is used up
    LOST = "lost"  # silence
    STALLS = "stalls"  # the handshake completes and no data comes
    PARTIAL = "large transfers stall"  # small answers arrive
    SOMETIMES = "comes and goes"  # works, and at times does not
    MOVED = "moves"  # established connections end up where nobody knows them
    SLOW = "slow"  # seconds of retransmissions first
    INSUFFICIENT = "insufficient information"


PARTLY = frozenset({Fate.PARTIAL, Fate.SOMETIMES, Fate.MOVED, Fate.SLOW})  # works, badly
UNKNOWN_SOURCE = "the client does not know"  # how branches end whose answers have a foreign source
WORKS = frozenset({Fate.DELIVERED})


class Packet(Struct, frozen=True):
    """What is sent: `source` is a subject; `port` is None for ICMP."""

    source: str
    address: str
    port: int | None
    protocol: str = "TCP"


class Step(Struct, frozen=True):
    """One step; `keys` are the leaves it rests on."""

    kind: str
    device: str
    says: str
    before: str = ""
    after: str = ""
    keys: tuple[a.Key, ...] = ()


class Branch(Struct, frozen=True):
    """One way: its weight, where it enters the cluster, how it ends. `direct` when the reply bypasses the router."""

    weight: float
    fate: Fate
    at: str
    why: str
    entry: str = ""
    endpoint: str = ""
    direct: bool = False
    forward: tuple[Step, ...] = ()
    back: tuple[Step, ...] = ()


class Walk(Struct, frozen=True):
    """All branches; `together` when they exist side by side."""

    branches: tuple[Branch, ...]
    together: bool = False

    def share(self, *fates: Fate) -> float:
        """The weight of the branches that end so."""
        return sum(b.weight for b in self.branches if b.fate in fates)

    def works(self) -> bool:
        """Whether every branch delivers."""
        return all(b.fate in WORKS for b in self.branches)


class _End(Protocol):
    """Ends a branch that has got as far as a pod."""

    def __call__(
        self, fate: Fate, at: str, why: str, back: tuple[Step, ...] = (), *, direct: bool = False
    ) -> Branch: ...


class _Way(Struct, frozen=True):
    """A way as far as the entry node, or as far as it gets."""

    weight: float
    node: str
    steps: tuple[Step, ...]
    fate: Fate | None = None
    why: str = ""
    at: str = ""


def walk(world: World, service: str, packet: Packet) -> Walk:
    """Walk a packet to `service` and its answer back. Cached per world."""
    name = ("walk", service, packet)
    if (found := world.cached(name)) is not None:
        return found  # type: ignore[return-value]  # stored below
    before = world.start()
    owner = own_node(world, service, packet.address)
    if _taken_inside(world, service, packet):
        why = "in IPVS mode each node takes the address, which is another node's, for its own"
        result = Walk((Branch(1.0, Fate.UNREACHABLE, packet.source, why),))
    elif not given(world, service):
        result = Walk((Branch(1.0, Fate.NO_ROUTE, packet.source, "the service was given no address"),))
    elif packet.source == "client" or (owner and owner != packet.source):
        result = _outside(world, service, packet)
    else:
        result = _inside(world, service, packet)
    world.keep(name, result, before)
    return result


def _taken_inside(world: World, service: str, packet: Packet) -> bool:
    """Whether a node asks for another host's address that IPVS has bound on every node, for no service."""
    if not packet.source.startswith("node/") or not world.get(service, a.ADDRESS_TAKEN):
        return False
    asked = packet.port is not None and serves(world, service, packet.address, packet.port)
    served = asked and world.known(service, a.PORTS)
    return world.get("cluster", a.PROXY_MODE) == "ipvs" and not served


def _outside(world: World, service: str, packet: Packet) -> Walk:
    ways, together = _ways(world, service, packet)
    branches: list[Branch] = []
    for way in ways:
        if way.fate is not None:
            branches.append(Branch(way.weight, way.fate, way.at, way.why, way.node, forward=way.steps))
        else:
            found = _at_node(world, service, packet, way)
            together = together or len({b.fate in WORKS for b in found}) > 1  # each connection gets another endpoint
            branches += found
    partly = any(b.why in {_FULL, _STALE} for b in branches)
    return Walk(tuple(branches), together=together or partly)


def _at_client(world: World, service: str) -> _Way | None:
    """What keeps packets from leaving the client in the right direction."""
    for subject, leaf, fate, why in (
        (service, a.UNUSABLE_ADDRESS, Fate.NO_ROUTE, "no host can use the address"),
        ("client", a.NAME_ELSEWHERE, Fate.LOST, "the name the client uses leads elsewhere"),
        ("client", a.CLIENT_ROUTE_WRONG, Fate.LOST, "the client sends it elsewhere"),
    ):
        if world.get(subject, leaf):
            return _Way(1.0, "", (), fate, why, "client")
    return None


def _ways(world: World, service: str, packet: Packet) -> tuple[list[_Way], bool]:
    """The ways to an entry node; whether they exist side by side."""
    if owner := own_node(world, service, packet.address):
        return [_Way(1.0, owner, (Step("route", packet.source, "it goes to the node's own address"),))], False
    if lost := _at_client(world, service):
        return [lost], False
    if not world.get("client", a.ROUTED) or world.get("client", a.CLIENT_ONLINK):
        start = Step("resolve-neighbour", "client", f"the client asks its segment for {packet.address}")
        return _by_arp(world, service, packet, (start,), "client")
    start = Step("route", "client", "the client sends it to its gateway", keys=(a.ROUTED.of("client"),))
    if world.get("router", a.ROUTER_FIREWALL) and packet.port is not None:
        return [_Way(1.0, "", (start,), Fate.LOST, "the router's firewall drops it", "router")], False
    if world.get("router", a.ROUTER_NAT):
        return [_Way(1.0, "", (start,), Fate.LOST, "the router rewrites the flow", "router")], False
    routes = best(world, service, packet.address)
    if not routes:
        return _without_route(world, service, packet, start)
    ways = []
    for route in routes:
        says = f"the router's best route is {route.prefix} via {route.node.removeprefix('node/')}"
        step = Step("route", "router", says + (" (static)" if route.static else ""))
        if route.node in world.network.nodes:
            ways.append(_Way(1 / len(routes), route.node, (start, step)))
        else:
            why = f"the next hop {route.node} is no node of the cluster"
            ways.append(_Way(1 / len(routes), "", (start, step), Fate.LOST, why, "router"))
    return ways, len(routes) > 1 and spreads(world)


def _without_route(world: World, service: str, packet: Packet, start: Step) -> tuple[list[_Way], bool]:
    """What a router does that has no route to the address of its own."""
    announcer = world.get("cluster", a.ANNOUNCER)
    if announcer.endswith(("-l2", "-arp")) or announcer == "klipper":
        if world.get(service, a.POOL_OFFLINK):
            why = "the address is in no subnet of the segment, so nobody asks for it there"
            return [_Way(1.0, "", (start,), Fate.NO_ROUTE, why, "router")], False
        asks = Step("resolve-neighbour", "router", f"the router asks the nodes' segment for {packet.address}")
        return _by_arp(world, service, packet, (start, asks), "router")
    if comes_and_goes(world):
        why = "the session that carries the route comes and goes, or heals after a while"
        return [_Way(1.0, "", (start,), Fate.SOMETIMES, why, "router")], False
    return [_Way(1.0, "", (start,), Fate.NO_ROUTE, "the router has no route to the address", "router")], False


_MOVING = 0.3  # how often a connection meets a change of the entry, where several hosts answer


def _by_arp(world: World, service: str, packet: Packet, steps: tuple[Step, ...], asker: str) -> tuple[list[_Way], bool]:
    nodes = responders(world, service, packet.address)
    stale, foreign = _stale(world, nodes), world.get(service, a.ADDRESS_TAKEN)
    if stale:
        why = f"a neighbour or forwarding entry still leads to {stale.removeprefix('node/')}"
        fate = Fate.SOMETIMES if world.get("segment", a.STALE_NEIGHBOUR) else Fate.LOST
        return [_Way(1.0, stale, steps, fate, why, stale)], False
    if not nodes and not foreign:
        return [_Way(1.0, "", steps, Fate.NO_NEIGHBOUR, "nobody answers for the address", asker)], False
    share = 1 / (len(nodes) + bool(foreign))
    ways = []
    for node in nodes:
        step = Step("resolve-neighbour", asker, f"{node.removeprefix('node/')} answers for it")
        ways.append(_Way(share, node, (*steps, step)))
    if foreign:
        ways.append(_Way(share, "", steps, Fate.HOST, f"another owner answers: {foreign}", asker))
    if len(ways) > 1:
        why = "neighbour entries move between the owners, and what is under way breaks"
        ways = [replace(w, weight=w.weight * (1 - _MOVING)) for w in ways]
        ways.append(_Way(_MOVING, "", steps, Fate.SOMETIMES, why, asker))
    return ways, len(ways) > 1


def _stale(world: World, holders: tuple[str, ...]) -> str:
    """The node that stale entries lead to: one that does not hold the address; "" without such entries."""
    if not world.get("router", a.STALE_NEIGHBOUR) and not world.get("segment", a.STALE_NEIGHBOUR):
        return ""
    return next((n for n in world.network.nodes if n not in holders), "the wrong host")


def _at_node(world: World, service: str, packet: Packet, way: _Way) -> list[Branch]:
    node = way.node
    arrive = Step("arrive", node, f"it enters the cluster at {node.removeprefix('node/')}")
    steps = (*way.steps, arrive)
    if stop := _ingress(world, node, packet):
        return [_filtered(way, steps, *stop)]
    stale = on_node(world, node, a.STALE_CONNTRACK)
    if stale or on_node(world, node, a.TABLE_FULL):
        why = _STALE if stale else _FULL
        half = _Way(way.weight / 2, node, way.steps)
        lost = Branch(way.weight / 2, Fate.LOST, node, why, node, forward=(*steps, Step("filter", node, why)))
        return [lost, *_translated(world, service, packet, half, steps)]
    return _translated(world, service, packet, way, steps)


def _or_refused(world: World, end: Branch) -> list[Branch]:
    """Cilium answers for a service without a backend where it is told to, and drops otherwise; versions differ."""
    if end.fate is not Fate.LOST or world.get("cluster", a.PROXY_MODE) != "ebpf":
        return [end]
    return [replace(end, weight=end.weight / 2), replace(end, weight=end.weight / 2, fate=Fate.REFUSED)]


def _translated(world: World, service: str, packet: Packet, way: _Way, steps: tuple[Step, ...]) -> list[Branch]:
    """What the service proxy of the entry node makes of it, and what becomes of that."""
    node = way.node
    treated = treat(world, service, packet.address, packet.port, node, "outside")
    step = Step("translate", node, treated.why, keys=(a.PROXY_MODE.of("cluster"), a.POLICY.of(service)))
    if stop := _input_filter(world, node, packet, treated):
        return [_filtered(way, steps, *stop)]
    if treated.kind is not Treatment.TRANSLATED:
        fate = _FATES[treated.kind]
        direct = fate in {Fate.HOST, Fate.REFUSED} and bypasses_router(world)
        end = Branch(way.weight, fate, node, treated.why, node, direct=direct, forward=(*steps, step))
        return _or_refused(world, end)
    if lost := _forwarding(world, service, node, packet):
        return [Branch(way.weight, Fate.LOST, node, lost, node, forward=(*steps, step, Step("filter", node, lost)))]
    share = way.weight / len(treated.endpoints)
    return [_to_endpoint(world, service, packet, node, e, treated, share, (*steps, step)) for e in treated.endpoints]


_FULL = "a table of the kernel is full, so that it drops what is new"
_STALE = "a stale connection entry sends an old flow to an endpoint that is gone; new flows work"
_FATES = {
    Treatment.HOST: Fate.HOST,
    Treatment.PROXY: Fate.DELIVERED,
    Treatment.REFUSED: Fate.REFUSED,
    Treatment.DROPPED: Fate.LOST,
    Treatment.LOOPS: Fate.LOOPS,
}


def on_node(world: World, node: str, leaf: a.Attribute[a.T]) -> a.T:
    """A leaf of the node; what was seen on a host that nobody names stands at the cluster, and holds for each."""
    return world.get(node, leaf) or world.get("cluster", leaf)


def _ingress(world: World, node: str, packet: Packet) -> tuple[Fate, str] | None:
    """What the node's kernel does before any service rule."""
    if on_node(world, node, a.RP_FILTER_DROP):
        return Fate.LOST, "the reverse-path filter drops it"
    if packet.source == "client" and on_node(world, node, a.MARTIAN):
        return Fate.LOST, "the packet's source is an address of the node itself, a martian"
    if on_node(world, node, a.DATAPATH_BROKEN):
        return Fate.LOST, "the node's datapath does not take it"
    if packet.port is not None and on_node(world, node, a.HOST_ENDPOINT_DROP):
        return Fate.LOST, "the CNI's policy for the host drops it"
    firewall = on_node(world, node, a.HOST_FIREWALL)
    if firewall and packet.port is not None:
        why = f"the host firewall {'drops' if firewall == 'drop' else 'rejects'} it"
        return (Fate.LOST if firewall == "drop" else Fate.UNREACHABLE), why
    return None


def _input_filter(world: World, node: str, packet: Packet, treated: Treated) -> tuple[Fate, str] | None:
    """The host's filter on INPUT: meets what the node's own stack takes, which in IPVS and userspace mode is all.

    kube-proxy.md section 3.1: IPVS works behind filter INPUT.
    """
    own = treated.kind in {Treatment.HOST, Treatment.PROXY, Treatment.REFUSED}
    firewall = on_node(world, node, a.INPUT_FIREWALL)
    if not firewall or packet.port is None or not (own or world.get("cluster", a.PROXY_MODE) in {"ipvs", "userspace"}):
        return None
    if firewall == "drop":
        return Fate.LOST, "the host firewall drops it on INPUT"
    return Fate.UNREACHABLE, "the host firewall rejects it on INPUT"


def _filtered(way: _Way, steps: tuple[Step, ...], fate: Fate, why: str) -> Branch:
    return Branch(way.weight, fate, way.node, why, way.node, forward=(*steps, Step("filter", way.node, why)))


def _forwarding(world: World, service: str, node: str, packet: Packet) -> str:
    """Why the node does not pass a translated packet on, or ""."""
    if on_node(world, node, a.FORWARDING_OFF):
        return "the node does not forward"
    if on_node(world, node, a.FORWARD_DROP):
        return "FORWARD drops it"
    if on_node(world, node, a.MIXED_BACKENDS):
        return "rules of the other iptables backend drop it"
    if aim(world, service, packet.address) is Aim.EXTERNAL and denied(world, service, packet.source):
        return "loadBalancerSourceRanges does not admit the client"
    return ""


def denied(world: World, service: str, source: str) -> bool:
    """Whether the source ranges keep the client out; they hold for the external address only (kube-proxy.md 2.3)."""
    if source != "client":
        return False
    if world.get(service, a.RANGES_DENY):
        return True
    ranges, client = world.get(service, a.SOURCE_RANGES), world.get("client", a.ADDRESS)
    nets = [r for r in ranges if parse_prefix(r) is not None]
    return bool(nets and client) and not any(contains(r, client) for r in nets)


def _to_endpoint(
    world: World,
    service: str,
    packet: Packet,
    node: str,
    endpoint: Endpoint,
    treated: Treated,
    weight: float,
    steps: tuple[Step, ...],
) -> Branch:
    other = endpoint.node or node
    name = other.removeprefix("node/")

    def end(fate: Fate, at: str, why: str, back: tuple[Step, ...] = (), *, direct: bool = False) -> Branch:
        return Branch(weight, fate, at, why, node, other, direct=direct, forward=steps, back=back)

    if reason := fabric.lost_between(world, node, other):
        steps = (*steps, Step("route", node, f"it is lost on the way to {name}: {reason}"))
        return end(Fate.LOST, node, reason)
    if world.get(service, a.WRONG_POD_NETWORK) and other != node:
        return end(Fate.NO_NEIGHBOUR, node, "the pod's address is of a network that ends at its own node")
    if other != node and (trouble := _on_tunnel(world, service, packet)):
        return end(*trouble)
    where = "its own pod" if other == node else f"the pod on {name}"
    steps = (*steps, Step("deliver", other, f"it reaches {where}", after=endpoint.address))
    if world.get(service, a.POLICY_DROP):
        return end(Fate.LOST, other, "a network policy drops it")
    if reason := closed(world, service):
        return end(Fate.REFUSED, other, reason)
    if other != node and not treated.masquerade and packet.source == "client":
        why = f"the reply leaves with the pod's own address, which {UNKNOWN_SOURCE}"
        return end(Fate.LOST, other, why, (Step("translate", other, why),), direct=True)
    return _reply(world, service, packet, node, end)


def _on_tunnel(world: World, service: str, packet: Packet) -> tuple[Fate, str, str] | None:
    """What goes wrong only with a pod on another node than the one that got the packet."""
    if world.get("cluster", a.DSR_DROPPED):
        return Fate.LOST, "cluster", "the direct reply, or the packet with the option that asks for it, is dropped"
    if world.get("cluster", a.CHECKSUM_BROKEN) and packet.port is not None:
        return Fate.SLOW, "cluster", "the tunnel sends wrong checksums, which the other node discards"
    if world.get("cluster", a.FORWARD_MTU) and packet.port is not None:
        return Fate.PARTIAL, "cluster", "encapsulated full-size packets do not fit between the nodes"
    if world.get(service, a.SOURCE_UNTRANSLATED):
        why = f"the reply bypasses the node that translated and has a source that {UNKNOWN_SOURCE}"
        return Fate.LOST, "cluster", why
    return None


def _reply(world: World, service: str, packet: Packet, node: str, end: _End) -> Branch:
    """The answer's way from the entry node to the client."""
    restore = Step("translate", node, f"the answer gets the service's address {packet.address} back")
    # A node's own address is reached and answered on the way that its own routes say, past the announcing router.
    own = bool(own_node(world, service, packet.address))
    for attribute, why, spares_own in (
        (a.NO_ROUTE_BACK, "the node has no right route to the client", False),
        (a.REPLY_OTHER_ROUTER, "the answer leaves by another router than the request came by", True),
        (a.REPLY_WRONG_INTERFACE, "the answer leaves by another interface and is dropped", True),
        (a.REPLY_ANTISPOOF, "spoof protection drops the answer", True),
    ):
        if world.get(node, attribute) and not (own and spares_own):
            return end(Fate.LOST, node, why, (restore, Step("route", node, why)))
    if on_node(world, node, a.NODE_DROPS_INVALID):
        return end(Fate.STALLS, node, "the node drops packets of a flow it saw half of", (restore,))
    direct = bypasses_router(world)
    way = "straight to the client, past the router" if direct else "to the client"
    home = Step("route", node, f"it goes {way}", keys=(a.SHARED_LAN.of("client"),))
    if direct and not own and packet.protocol == "TCP" and world.get("router", a.DROPS_INVALID):
        why = "the router saw only one direction and drops the client's next packet as invalid"
        return end(Fate.STALLS, "router", why, (restore, home, Step("filter", "router", why)), direct=True)
    if world.get(node, a.MTU_BLACKHOLE) and packet.port is not None:
        return end(Fate.PARTIAL, node, "large packets vanish on the way", (restore, home), direct=direct)
    if world.get("router", a.STATE_EXPIRES) and packet.port is not None and not own:
        why = "the firewall's state of a flow that it sees half of runs out"
        return end(Fate.SOMETIMES, "router", why, (restore, home), direct=direct)
    if world.get("router", a.REHASH) and packet.port is not None and not own:
        why = "a change of the next hops moves the connection to a node that does not know it"
        return end(Fate.MOVED, "router", why, (restore, home), direct=direct)
    if world.get(service, a.APP_ERROR):
        return end(Fate.ERROR, "", "the application answers with an error", (restore, home), direct=direct)
    return end(Fate.DELIVERED, "", "the application answers", (restore, home), direct=direct)


def bypasses_router(world: World) -> bool:
    """Whether answers from a node go to the client directly though the client's packets pass the router."""
    return world.get("client", a.ROUTED) and world.get("client", a.SHARED_LAN)


def _inside(world: World, service: str, packet: Packet) -> Walk:
    """From a node or a pod of the cluster, whose own rules catch the packet at once."""
    kind = "pod" if packet.source.startswith("pod/") else "node"
    nodes = [packet.source] if packet.source in world.network.nodes else list(world.network.nodes)
    branches: list[Branch] = []
    for node in nodes:
        branches += _from_node(world, service, packet, node, kind, 1 / len(nodes))
    return Walk(tuple(branches))


def closed(world: World, service: str) -> str:
    """Why the pod itself refuses, or ""."""
    if world.get(service, a.NOT_LISTENING):
        return "nothing listens on the target port"
    return "the container listens on another port" if world.get(service, a.WRONG_TARGET_PORT) else ""


def _from_node(world: World, service: str, packet: Packet, node: str, kind: str, weight: float) -> list[Branch]:
    if world.get("cluster", a.HAIRPIN) and aim(world, service, packet.address) is Aim.EXTERNAL:
        why = "a packet from inside the cluster is short-circuited into a dead end"
        return [Branch(weight, Fate.LOST, node, why, node)]
    treated = treat(world, service, packet.address, packet.port, node, kind)
    steps = (Step("translate", node, treated.why),)
    if treated.kind is not Treatment.TRANSLATED:
        return [Branch(weight, _FATES[treated.kind], node, treated.why, node, forward=steps)]
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
    if kind == "pod" and (reason := _forwarding(world, service, node, Packet("pod/", "", 1))):
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
