"""From the entry node to a pod, through every filter and translation, and the answer's way home."""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from kubereach.model import attribute as a
from kubereach.model.address import contains, parse_prefix
from kubereach.model.attribute import Endpoint
from kubereach.simulate import fabric
from kubereach.simulate.arp import responders
from kubereach.simulate.fate import UNKNOWN_SOURCE, Branch, Fate, Packet, Step
from kubereach.simulate.proxy import Aim, Treated, Treatment, aim, own_node, treat
from kubereach.simulate.redirects import bypasses_router, redirected
from kubereach.simulate.ways import Way
from kubereach.simulate.world import World


class _End(Protocol):
    """Ends a branch that has got as far as a pod."""

    def __call__(
        self, fate: Fate, at: str, why: str, back: tuple[Step, ...] = (), *, direct: bool = False
    ) -> Branch: ...


def at_node(world: World, service: str, packet: Packet, way: Way) -> tuple[Branch, ...]:
    """What becomes of a packet at the node that it enters.

    Cached per world: what is wrong at one of many nodes changes nothing about the others.
    """
    name = ("at node", service, packet, way)
    if (found := world.cached(name)) is not None:
        return found  # type: ignore[return-value]  # stored below
    before = world.start()
    result = tuple(_at_node(world, service, packet, way))
    world.keep(name, result, before)
    return result


def _at_node(world: World, service: str, packet: Packet, way: Way) -> list[Branch]:
    node = way.node
    arrive = Step("arrive", node, f"it enters the cluster at {node.removeprefix('node/')}")
    steps = (*way.steps, arrive)
    if stop := _ingress(world, node, packet):
        return [_filtered(way, steps, *stop)]
    stale = on_node(world, node, a.STALE_CONNTRACK)
    if stale or on_node(world, node, a.TABLE_FULL):
        why = STALE if stale else FULL
        half = Way(way.weight / 2, node, way.steps)
        lost = Branch(way.weight / 2, Fate.LOST, node, why, node, forward=(*steps, Step("filter", node, why)))
        return [lost, *_translated(world, service, packet, half, steps)]
    return _translated(world, service, packet, way, steps)


def _or_refused(world: World, end: Branch) -> list[Branch]:
    """Cilium answers for a service without a backend where it is told to, and drops otherwise; versions differ."""
    if end.fate is not Fate.LOST or world.get("cluster", a.PROXY_MODE) != "ebpf":
        return [end]
    return [replace(end, weight=end.weight / 2), replace(end, weight=end.weight / 2, fate=Fate.REFUSED)]


def _translated(world: World, service: str, packet: Packet, way: Way, steps: tuple[Step, ...]) -> list[Branch]:
    """What the service proxy of the entry node makes of it, and what becomes of that."""
    node = way.node
    treated = treat(world, service, packet.address, packet.port, node, "outside")
    step = Step("translate", node, treated.why, keys=(a.PROXY_MODE.of("cluster"), a.POLICY.of(service)))
    if stop := _input_filter(world, node, packet, treated):
        return [_filtered(way, steps, *stop)]
    if treated.kind is not Treatment.TRANSLATED:
        fate = FATES[treated.kind]
        if fate is Fate.HOST and (lost := _answer_lost(world, service, packet, node)):
            return [Branch(way.weight, Fate.LOST, node, lost, node, forward=(*steps, step))]
        direct = fate in {Fate.HOST, Fate.REFUSED} and bypasses_router(world)
        holders = responders(world, service, packet.address) if treated.kind is Treatment.ASKS else ()
        at = holders[0] if holders else node  # another node than the holder hands it on to the holder
        end = Branch(way.weight, fate, at, treated.why, node, direct=direct, forward=(*steps, step))
        return _or_refused(world, end)
    if lost := forwarding(world, service, node, packet):
        return [Branch(way.weight, Fate.LOST, node, lost, node, forward=(*steps, step, Step("filter", node, lost)))]
    share = way.weight / len(treated.endpoints)
    return [_to_endpoint(world, service, packet, node, e, treated, share, (*steps, step)) for e in treated.endpoints]


IPVS_OUT_FILTER_MINOR = 29
FULL = "a table of the kernel is full, so that it drops what is new"
STALE = "a stale connection entry sends an old flow to an endpoint that is gone; new flows work"
FATES = {
    Treatment.HOST: Fate.HOST,
    Treatment.PROXY: Fate.DELIVERED,
    Treatment.REFUSED: Fate.REFUSED,
    Treatment.DROPPED: Fate.LOST,
    Treatment.LOOPS: Fate.LOOPS,
    Treatment.ASKS: Fate.NO_NEIGHBOUR,
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


def _filtered(way: Way, steps: tuple[Step, ...], fate: Fate, why: str) -> Branch:
    return Branch(way.weight, fate, way.node, why, way.node, forward=(*steps, Step("filter", way.node, why)))


def passed_on(world: World, node: str, *, from_node: bool = False) -> str:
    """Why a node does not forward what a client, or another node, sends through it, or ""."""
    if on_node(world, node, a.FORWARDING_OFF):
        return "the node does not forward"
    if on_node(world, node, a.MIXED_BACKENDS):
        return "rules of the other iptables backend drop it"
    drops = on_node(world, node, a.FORWARD_DROP) and not (from_node and on_node(world, node, a.FORWARD_SPARES))
    return "FORWARD drops it" if drops else ""


def kept_from_pod(world: World, other: str) -> tuple[Fate, str] | None:
    """What the firewall of the pod's node does to what another node sends: tunnels arrive by a device of their own.

    Without encapsulation the packet comes by the NIC, as one of a client does.
    """
    if world.get("cluster", a.ENCAPSULATION) != "none":
        return None
    if on_node(world, other, a.HOST_ENDPOINT_DROP) and not on_node(world, other, a.HOST_POLICY_SPARES):
        return Fate.LOST, "the CNI's policy for the pod's node drops it"
    firewall = on_node(world, other, a.HOST_FIREWALL)
    if firewall and not on_node(world, other, a.HOST_FIREWALL_SPARES):
        fate = Fate.LOST if firewall == "drop" else Fate.UNREACHABLE
        return fate, f"the firewall of the pod's node {firewall}s it"
    return None


def forwarding(world: World, service: str, node: str, packet: Packet) -> str:
    """Why the node does not pass a translated packet on, or ""."""
    if reason := passed_on(world, node):
        return reason
    if aim(world, service, packet.address) is Aim.EXTERNAL and denied(world, service, packet.source):
        return "loadBalancerSourceRanges does not admit the client"
    return ""


def denied(world: World, service: str, source: str) -> bool:
    """Whether the source ranges keep the source out: the client, or a node (KUBE-PROXY-FIREWALL is on OUTPUT too).

    They hold for the external address only (kube-proxy.md 2.3); in IPVS mode for nodes since 1.29, by
    KUBE-IPVS-OUT-FILTER.
    """
    if source.startswith("pod/"):
        return False  # its address is not known here
    if source == "client" and world.get(service, a.RANGES_DENY):
        return True
    old = world.get("cluster", a.KUBERNETES_MINOR) < IPVS_OUT_FILTER_MINOR
    if source != "client" and old and world.get("cluster", a.PROXY_MODE) == "ipvs":
        return False
    nets = [r for r in world.get(service, a.SOURCE_RANGES) if parse_prefix(r) is not None]
    address = world.get(source, a.ADDRESS) if nets else ""
    return bool(address) and not any(contains(r, address) for r in nets)


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
    if other != node and (reason := passed_on(world, other, from_node=True)):
        return end(Fate.LOST, other, reason)
    if other != node and (stopped := kept_from_pod(world, other)):
        return end(stopped[0], other, stopped[1])
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


def _answer_lost(world: World, service: str, packet: Packet, node: str) -> str:
    """Why an answer with the service's address does not get from the node to the client, or ""."""
    own = bool(own_node(world, service, packet.address))
    if not own and packet.source == "client" and world.get("router", a.ROUTER_NAT) == "source":
        return "the router gives the packets a source to which the answers do not find back"
    for attribute, why, spares_own in (
        (a.NO_ROUTE_BACK, "the node has no right route to the client", False),
        (a.REPLY_OTHER_ROUTER, "the answer leaves by another router than the request came by", True),
        (a.REPLY_WRONG_INTERFACE, "the answer leaves by another interface and is dropped", True),
        (a.REPLY_ANTISPOOF, "spoof protection drops the answer", True),
    ):
        if attribute is not a.REPLY_ANTISPOOF and world.get("client", a.SHARED_LAN):
            continue  # it is on the node's own link, and no route to elsewhere matters
        if world.get(node, attribute) and not (own and spares_own):
            return why
    return ""


def _reply(world: World, service: str, packet: Packet, node: str, end: _End) -> Branch:
    """The answer's way from the entry node to the client."""
    restore = Step("translate", node, f"the answer gets the service's address {packet.address} back")
    # A node's own address is reached and answered on the way that its own routes say, past the announcing router.
    own = bool(own_node(world, service, packet.address))
    if why := _answer_lost(world, service, packet, node):
        return end(Fate.LOST, node, why, (restore, Step("route", node, why)))
    if on_node(world, node, a.NODE_DROPS_INVALID):
        return end(Fate.STALLS, node, "the node drops packets of a flow it saw half of", (restore,))
    direct = bypasses_router(world)
    way = "straight to the client, past the router" if direct else "to the client"
    home = Step("route", node, f"it goes {way}", keys=(a.SHARED_LAN.of("client"),))
    stateful = packet.protocol == "TCP" and world.get("router", a.DROPS_INVALID)
    if direct and not own and stateful and not redirected(world):
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


def closed(world: World, service: str) -> str:
    """Why the pod itself refuses, or ""."""
    if world.get(service, a.NOT_LISTENING):
        return "nothing listens on the target port"
    return "the container listens on another port" if world.get(service, a.WRONG_TARGET_PORT) else ""
