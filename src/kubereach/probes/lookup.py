"""What a node's kernel would do: `ip route get` for the client's packets and for the answers, and a ping of the client.

Asked of a node. About `source` (the look-up of a packet from the client on the interface that it comes in by): fine,
rpf-fail, martian, no-forwarding. About `back` (the look-up of the client): router, direct (on the node's link),
other-gateway, other-leg (another interface than the node's own address is on), gateway (whose nobody knows), none.
About `ping` (the client, from the node): reply, timeout, unreachable. About `forwarding` (sysctl): on, off. About
`table` (the connection table's use, sysctl): full, room. About `strict` (rp_filter): strict, loose.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model import attribute as a
from kubereach.model.fact import InterfaceAddress, Outcome, Packet, ProbeKind, ProbeResult, RouteLookup
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, likeliest
from kubereach.simulate.delivery import on_node
from kubereach.simulate.world import World

KIND = "lookup"
BACKGROUND: Distribution = {
    "fine": 0.9,
    "rpf-fail": 0.04,
    "martian": 0.03,
    "no-forwarding": 0.03,
    "router": 0.5,
    "direct": 0.2,
    "gateway": 0.15,
    "other-gateway": 0.05,
    "other-leg": 0.06,
    "none": 0.04,
    "reply": 0.7,
    "timeout": 0.25,
    "unreachable": 0.05,
    "on": 0.97,
    "off": 0.03,
    "full": 0.02,
    "room": 0.98,
    "strict": 0.25,
    "loose": 0.75,
}
_KERNEL = (
    "sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.conf.all.arp_ignore "
    "net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max"
)
# What the kernel's settings show, with the leaf that holds it once they were shown, and how an answer reads.
_SETTINGS = (
    ("forwarding", a.FORWARDING, {"on": "ip_forward is 1", "off": "0, of all or of an interface"}),
    ("table", a.TABLE_FULL, {"room": "nf_conntrack_count below nf_conntrack_max", "full": "nf_conntrack_count at it"}),
    ("strict", a.REVERSE_PATH, {"loose": "rp_filter 0 or 2", "strict": "rp_filter 1"}),
)
BACKGROUND_STRICT: Distribution = {answer: BACKGROUND[answer] for answer in ("strict", "loose")}
_REFUSED = {"rpf-fail": "rpf-fail", "martian": "martian", "unreachable": "no-forwarding"}


def sightings(network: Network) -> Iterable[Sighting]:
    """Look-ups of the flow's client on nodes, and pings from nodes to it."""
    client = network.flow.client
    for fact in network.observed:
        if isinstance(fact, RouteLookup) and fact.device in network.nodes and client:
            if fact.from_address == client:
                answer = _REFUSED.get(fact.kind, "fine")
                yield _sighting(fact.device, "source", answer, fact, f"a packet from the client: {answer}")
            elif fact.address == client and not fact.from_address and fact.kind != "local":
                answer = _back(network, fact)
                yield _sighting(fact.device, "back", answer, fact, f"the way to the client: {_way(fact)}")
        elif isinstance(fact, ProbeResult) and fact.probe is ProbeKind.PING and fact.target == client != "":
            outcomes = {
                Outcome.REPLY: "reply",
                Outcome.TIMEOUT: "timeout",
                Outcome.UNREACHABLE: "unreachable",
            }
            if fact.source in network.nodes and fact.outcome in outcomes:
                answer = outcomes[fact.outcome]
                yield _sighting(fact.source, "ping", answer, fact, f"the node pings the client: {answer}")


def _sighting(node: str, about: str, answer: str, fact: RouteLookup | ProbeResult, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, node, (about,)),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def _way(fact: RouteLookup) -> str:
    return " ".join(w for w in (fact.kind, fact.via and f"via {fact.via}", fact.interface) if w)


def _back(network: Network, fact: RouteLookup) -> str:
    if fact.kind in {"unreachable", "prohibit", "blackhole"}:
        return "none"
    own = network.seen(fact.device, a.ADDRESS) or ""
    if fact.preferred_source and own and fact.preferred_source != own:
        return "other-leg"
    return _way_of(network, fact)


def _way_of(network: Network, fact: RouteLookup) -> str:
    if fact.kind in {"unreachable", "prohibit", "blackhole"}:
        return "none"
    if not fact.via:
        return "direct"
    known = "router" in network.owners.values()
    return "router" if network.owners.get(fact.via) == "router" else "other-gateway" if known else "gateway"


def predict(world: World, question: Question) -> Distribution | None:
    """What the leaves of the node say of its routes and of its source check."""
    node, about = question.where, question.about[0]
    if about == "source":
        return _source(world, node)
    if about == "forwarding":
        off = on_node(world, node, a.FORWARDING_OFF)
        return {"off": 0.96, "on": 0.04} if off else {"on": 0.99, "off": 0.01}
    if about == "table":  # it may be another of the kernel's tables that is full
        return {"full": 0.75, "room": 0.25} if on_node(world, node, a.TABLE_FULL) else {"room": 0.995, "full": 0.005}
    if about == "strict":
        return {"strict": 0.95, "loose": 0.05} if on_node(world, node, a.RP_FILTER_DROP) else BACKGROUND_STRICT
    lost = world.get(node, a.NO_ROUTE_BACK) and not world.get("client", a.SHARED_LAN)
    elsewhere = world.get(node, a.REPLY_WRONG_INTERFACE)
    if about == "ping":
        if lost:
            return {"reply": 0.04, "timeout": 0.7, "unreachable": 0.26}
        if elsewhere:
            return {"reply": 0.3, "timeout": 0.65, "unreachable": 0.05}
        return {"reply": 0.82, "timeout": 0.16, "unreachable": 0.02}  # many clients answer no ping
    if lost:
        return {"none": 0.3, "other-gateway": 0.25, "gateway": 0.2, "other-leg": 0.1, "router": 0.1, "direct": 0.05}
    return _predicted_back(world, node)


def _predicted_back(world: World, node: str) -> Distribution:
    """The way to the client, where there is one."""
    if world.get(node, a.REPLY_WRONG_INTERFACE):
        return {"other-leg": 0.85, "other-gateway": 0.08, "gateway": 0.03, "direct": 0.02, "router": 0.02}
    if world.get(node, a.REPLY_OTHER_ROUTER):
        return {"other-gateway": 0.7, "gateway": 0.2, "other-leg": 0.05, "router": 0.05}
    if on_node(world, node, a.RP_FILTER_DROP):  # strict: the way back takes another interface (RFC 3704 section 2.2)
        return {"other-leg": 0.75, "gateway": 0.08, "router": 0.07, "other-gateway": 0.05, "direct": 0.04, "none": 0.01}
    if world.get("client", a.SHARED_LAN):
        return {"direct": 0.93, "router": 0.02, "other-leg": 0.03, "gateway": 0.02}
    return {"router": 0.6, "gateway": 0.32, "other-gateway": 0.03, "direct": 0.02, "other-leg": 0.02, "none": 0.01}


def _source(world: World, node: str) -> Distribution:
    """The kernel's answer to the look-up; its source check comes before its look at forwarding (fib_frontend.c)."""
    if on_node(world, node, a.MARTIAN):
        return {"martian": 0.9, "fine": 0.1}
    if on_node(world, node, a.RP_FILTER_DROP):
        return {"rpf-fail": 0.92, "fine": 0.08}
    if on_node(world, node, a.FORWARDING_OFF):
        return {"no-forwarding": 0.9, "fine": 0.1}
    return {"fine": 0.97, "rpf-fail": 0.01, "martian": 0.01, "no-forwarding": 0.01}


def offers(network: Network) -> Iterable[Offer]:
    """The kernel's settings; and the look-ups, with the interface where it is known, and the ping."""
    client, address = network.flow.client, network.flow.address
    for node in network.nodes:
        for about, leaf, words in _SETTINGS:
            if (node, leaf.name) not in network.settings:
                question = Question(KIND, node, (about,))
                yield Offer(question=question, where=node, command=_KERNEL, cost=15, words=words)
        if not client:
            continue
        yield Offer(
            question=Question(KIND, node, ("back",)),
            where=node,
            command=f"ip route get {client}",
            cost=15,
            words={
                "router": "via the router",
                "gateway": "via a gateway",
                "other-gateway": "via another gateway than the router",
                "other-leg": "src is another address than the node's",
                "direct": "no via",
                "none": "unreachable",
            },
        )
        yield Offer(
            question=Question(KIND, node, ("ping",)),
            where=node,
            command=f"ping -c 2 {client}",
            cost=15,
            words={"reply": "replies", "timeout": "silence", "unreachable": "unreachable"},
        )
        if address and (interface := _interface(network, node)):
            yield Offer(
                question=Question(KIND, node, ("source",)),
                where=node,
                command=f"ip route get {address} from {client} iif {interface}",
                cost=15,
                words={
                    "fine": "a route",
                    "rpf-fail": "Invalid cross-device link",
                    "martian": "Invalid argument",
                    "no-forwarding": "No route to host",
                },
            )


def _interface(network: Network, node: str) -> str:
    """The interface that the client's packets come in by: seen there, else the one with the node's own address."""
    own = network.seen(node, a.ADDRESS)
    guess = ""
    for fact in network.observed:
        if isinstance(fact, Packet) and fact.device == node and fact.direction == "In" and fact.interface:
            if fact.destination == network.flow.address:
                return fact.interface
        elif isinstance(fact, InterfaceAddress) and fact.device == node and fact.address == own:
            guess = fact.interface
        elif isinstance(fact, RouteLookup) and fact.device == node and fact.preferred_source == own and own:
            guess = guess or fact.interface
    return guess


def means(world: World, question: Question) -> str:
    """What the kernel's answer says."""
    best = likeliest(predict(world, question))
    return {
        "fine": "the node takes the client's packets in",
        "rpf-fail": "the kernel's source check refuses the client's packets",
        "martian": "the client's address is one of the node itself",
        "no-forwarding": "the node does not forward what comes in there",
        "router": "the answers go to the router",
        "direct": "the answers go straight to the client",
        "other-leg": "the answers leave by another interface",
        "other-gateway": "the answers go to another gateway",
        "none": "the node has no route to the client",
        "full": "the node's connection table takes nothing new",
        "strict": "the node takes packets only by the interface that it would answer by",
        "reply": "the node reaches the client",
        "timeout": "the node does not reach the client, or the client answers no ping",
    }.get(best, "")
