"""TCP port 179 tried by hand: `nc -vz ROUTER 179` on a node, `nmap -p 179 NODE` from anywhere.

Asked of a node, towards the `router` or `of` the node itself. Answers: open, refused, silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubereach.model.attribute import AGENT_DOWN, ANNOUNCER, SESSION_FAULT, SESSION_WAY
from kubereach.model.fact import Outcome, Packet, ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.world import World

KIND = "bgp_port"
PORT = 179
BACKGROUND: Distribution = {"open": 0.5, "refused": 0.25, "silent": 0.25}
_ANSWERS = {
    Outcome.OPEN: "open",
    Outcome.REPLY: "open",
    Outcome.REFUSED: "refused",
    Outcome.CLOSED: "refused",
    Outcome.TIMEOUT: "silent",
    Outcome.FILTERED: "silent",
    Outcome.UNREACHABLE: "silent",
}
# What the router's port shows to the node for each reason; a plain connection carries no signature, and so gets no
# answer where one is required (RFC 2385 section 2.0).
_AT_ROUTER: Mapping[str, Distribution] = {
    "": {"open": 0.93, "refused": 0.04, "silent": 0.03},
    "blocked": {"silent": 0.46, "refused": 0.28, "open": 0.26},
    "blocked:dropped": {"silent": 0.9, "refused": 0.04, "open": 0.06},
    "blocked:refused": {"silent": 0.3, "refused": 0.64, "open": 0.06},
    # Whom the router does not know, it takes the connection of and closes it, or refuses.
    "blocked:no-neighbour": {"silent": 0.06, "refused": 0.29, "open": 0.65},
    "wrong-source": {"open": 0.6, "refused": 0.2, "silent": 0.2},
    "auth": {"silent": 0.6, "open": 0.35, "refused": 0.05},
    "auth:router-asks": {"silent": 0.88, "open": 0.08, "refused": 0.04},
    "auth:node-asks": {"silent": 0.08, "open": 0.87, "refused": 0.05},
    "multihop": {"open": 0.7, "silent": 0.2, "refused": 0.1},
}
_OPEN: Distribution = {"open": 0.85, "refused": 0.1, "silent": 0.05}
# Speakers that only dial: MetalLB and Cilium do not listen (metallb config/frr; Cilium without localPort).
DIAL_ONLY = frozenset({"metallb-bgp", "cilium-bgp", "kube-vip-bgp"})


def sightings(network: Network) -> Iterable[Sighting]:
    """Every connection to port 179 of the router or of a node's own address."""
    for fact in network.observed:
        if not isinstance(fact, ProbeResult) or fact.port != PORT or fact.probe not in {ProbeKind.TCP, ProbeKind.HTTP}:
            continue
        answer, owner = _ANSWERS.get(fact.outcome), network.owners.get(fact.target, "")
        to_router = owner == "router" and fact.source.startswith("node/")
        if answer and (to_router or owner in network.nodes):
            yield Sighting(
                question=Question(KIND, fact.source if to_router else owner, ("router" if to_router else "of",)),
                answers=frozenset({answer}),
                origins=(fact.origin,),
                trust=fact.trust,
                says=f"tcp to {fact.target}:{PORT}: {fact.outcome.value}",
            )
    yield from _unanswered(network)


def _unanswered(network: Network) -> Iterable[Sighting]:
    """A capture on the router's or a node's side that shows SYNs to port 179, and nothing that comes back."""
    shown = [f for f in network.observed if isinstance(f, Packet) and f.what == "tcp" and PORT in _ports(f)]
    for fact in shown:
        to_router = network.owners.get(fact.destination) == "router" and fact.destination_port == PORT
        back = [f for f in shown if f.source == fact.destination and f.device == fact.device]
        if to_router and fact.flags == "S" and fact.count > 1 and not back:
            node = network.owners.get(fact.source, "")
            yield Sighting(
                question=Question(KIND, node if node in network.nodes else "cluster", ("router", "syn")),
                answers=frozenset({"silent"}),
                origins=(fact.origin,),
                trust=fact.trust,
                says=f"{fact.count} SYNs of {fact.source} to port {PORT} get no answer",
            )
            return


def _ports(fact: Packet) -> tuple[int | None, ...]:
    return fact.source_port, fact.destination_port


def predict(world: World, question: Question) -> Distribution | None:
    """From what keeps the session down; None for a node that has no daemon to listen."""
    nodes = [question.where] if question.where in world.network.nodes else list(world.network.nodes)
    if question.about[0] == "router":
        return mixed((1.0, _at_router(world, node)) for node in nodes)
    if world.get("cluster", ANNOUNCER) in DIAL_ONLY:
        return None
    return mixed((1.0, _of_node(world, node)) for node in nodes)


def _at_router(world: World, node: str) -> Distribution:
    """By the way in which the session's fault works, where that is chosen."""
    reason, way = world.get(node, SESSION_FAULT), world.get("cluster", SESSION_WAY)
    known = _AT_ROUTER.get(way) if way.partition(":")[0] == reason else None
    return known or _AT_ROUTER.get(reason, _OPEN)


def _of_node(world: World, node: str) -> Distribution:
    if world.get(node, AGENT_DOWN):
        return {"refused": 0.85, "open": 0.05, "silent": 0.1}
    if world.get(node, SESSION_FAULT) == "blocked":
        return {"silent": 0.4, "open": 0.5, "refused": 0.1}
    return {"open": 0.9, "refused": 0.05, "silent": 0.05}


def offers(network: Network) -> Iterable[Offer]:
    """A connection by hand from each node, where the router's address is known."""
    router = next((a for a, owner in network.owners.items() if owner == "router"), "")
    for node in network.nodes if router else ():
        yield Offer(
            question=Question(KIND, node, ("router",)),
            where=node,
            command=f"nc -vz -w 3 {router} {PORT}",
            cost=25,
            words={"open": "succeeded", "refused": "Connection refused", "silent": "timed out"},
        )


def means(world: World, question: Question) -> str:
    """Whether a TCP connection can come about at all."""
    words = predict(world, question) or BACKGROUND
    return "TCP port 179 is open on that way" if words["open"] > 0.5 else "no TCP connection to port 179 on that way"
