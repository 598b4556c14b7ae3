"""The state of BGP sessions: `birdcl show protocols`, `calicoctl node status`, the router's own list.

Answers are classes of state and last error: established, connecting (SYN unanswered), active, idle, refused, reset,
closed, no-route, rejected, bad-peer-as, shutdown, auth, no-listening-socket, hold-timer, bfd, neighbor-lost,
graceful-restart, not-running, absent (the router has no such neighbour).
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.fact import BgpListing, BgpSession, LogEvent, Setting
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.session import shown
from kubereach.simulate.world import World

KIND = "bgp_session"
BACKGROUND: Distribution = {
    "established": 0.5,
    "connecting": 0.08,
    "active": 0.08,
    "idle": 0.05,
    "refused": 0.04,
    "reset": 0.03,
    "closed": 0.03,
    "no-route": 0.03,
    "rejected": 0.02,
    "bad-peer-as": 0.02,
    "shutdown": 0.02,
    "absent": 0.03,
}
# The first text that occurs in a last error decides (BIRD proto/bgp/packets.c and bgp.c; FRR bgpd messages).
_ERRORS = (
    ("bad peer as", "bad-peer-as"),
    ("no listening socket", "no-listening-socket"),
    ("connection refused", "refused"),
    ("reset by peer", "reset"),
    ("connection closed", "closed"),
    ("no route to host", "no-route"),
    ("unreachable", "no-route"),
    ("timed out", "connecting"),
    ("connection rejected", "rejected"),
    ("connection collision", "rejected"),
    ("administrative shutdown", "shutdown"),
    ("administratively", "shutdown"),
    ("admin", "shutdown"),
    ("hold timer", "hold-timer"),
    ("bfd", "bfd"),
    ("md5", "auth"),
    ("neighbor lost", "neighbor-lost"),
    ("link down", "neighbor-lost"),
    ("graceful restart", "graceful-restart"),
    ("received:", "rejected"),
)
_STATES = {
    "established": "established",
    "connect": "connecting",
    "opensent": "connecting",
    "openconfirm": "connecting",
    "active": "active",
    "idle": "idle",
    "down": "shutdown",
}


def classify(state: str, error: str) -> str:
    """The class of a state word and a last error's text; "" when neither says anything."""
    lowered = error.lower()
    word = _STATES.get(state.lower().partition(" ")[0], "")
    if word == "established":
        return word
    return next((name for text, name in _ERRORS if text in lowered), "") or word


def sightings(network: Network) -> Iterable[Sighting]:
    """Sessions that daemons and routers list, stated ones, and a router's whole list that lacks a node."""
    for fact in network.observed:
        if isinstance(fact, BgpSession):
            yield from _session(network, fact)
        elif isinstance(fact, LogEvent) and fact.program == "bird" and fact.event == "not-running" and fact.device:
            yield _sighting(fact.device, "node", "not-running", fact, "BIRD is not running")
        elif isinstance(fact, Setting) and fact.attribute == "bgp.session.state":
            node = fact.subject if fact.subject in network.nodes else ""
            if answer := classify(str(fact.value), ""):
                yield _sighting(node, "node", answer, fact, f"{fact.subject}: session {fact.value}")
    yield from _absent(network)


def _session(network: Network, fact: BgpSession) -> Iterable[Sighting]:
    answer = classify(fact.state, fact.error)
    if not answer:
        return
    says = f"session with {fact.peer or fact.name}: {fact.state} {fact.error}".strip()
    if fact.device == "router":
        node = network.owners.get(fact.peer, "")
        yield _sighting(node, "router", answer, fact, says)
    elif network.owners.get(fact.peer, "router") == "router" or fact.peer_type == "mesh":
        yield _sighting(fact.device, "node", answer, fact, says)


def _absent(network: Network) -> Iterable[Sighting]:
    listings = [f for f in network.observed if isinstance(f, BgpListing) and f.device == "router" and f.complete]
    listed = {
        network.owners.get(f.peer) for f in network.observed if isinstance(f, BgpSession) and f.device == "router"
    }
    known = {owner for owner in network.owners.values() if owner in network.nodes}
    for node in network.nodes:
        if listings and node not in listed and node in known:
            yield _sighting(node, "router", "absent", listings[0], "the router lists no session with it")


def _sighting(
    node: str, end: str, answer: str, fact: BgpSession | BgpListing | LogEvent | Setting, says: str
) -> Sighting:
    return Sighting(
        question=Question(KIND, node, (end,)),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """What that end shows; with an unknown node, any of them."""
    at_router = question.about == ("router",)
    nodes = [question.where] if question.where in world.network.nodes else list(world.network.nodes)
    smear = 0.04  # other words for the same state
    return mixed(
        [(1 - smear, mixed((1.0, shown(world, node, at_router=at_router)) for node in nodes)), (smear, BACKGROUND)]
    )


def offers(network: Network) -> Iterable[Offer]:
    """The router's list first: one command shows every node's session."""
    down = "a state other than Established"
    words = {"established": "Established", "absent": "no line for it", "connecting": down, "active": down}
    mikrotik = bool(network.stack & {"mikrotik", "routeros"})
    command = (
        "/routing bgp peer print status   # RouterOS 7: /routing/bgp/session/print"
        if mikrotik
        else "vtysh -c 'show bgp summary'   # or your router's own command"
    )
    for node in network.nodes:
        name = node.removeprefix("node/")
        yield Offer(
            question=Question(KIND, node, ("router",)),
            where="router",
            command=command,
            cost=25,
            privilege="router",
            words=words,
        )
        yield Offer(
            question=Question(KIND, node, ("node",)),
            where=node,
            command=(
                "kubectl -n calico-system exec ds/calico-node -c calico-node -- birdcl show protocols all"
                f"   # the pod on {name}"
            ),
            cost=40,
            privilege="exec",
            words={
                "established": "Established",
                "bad-peer-as": "Received: Bad peer AS",
                "refused": "Socket: Connection refused",
                "reset": "Socket: Connection reset by peer",
                "connecting": "Connect, without an error",
                "not-running": "no BIRD to talk to",
                "no-listening-socket": "Error: No listening socket",
            },
        )


def means(world: World, question: Question) -> str:
    """Whether that session carries routes."""
    name = question.where.removeprefix("node/") or "a node"
    up = "established" in predict_words(world, question)
    return f"the session between {name} and the router is {'up' if up else 'down'}"


def predict_words(world: World, question: Question) -> Distribution:
    """The undisturbed words for the question's node."""
    at_router = question.about == ("router",)
    return shown(world, question.where or world.network.nodes[0], at_router=at_router)
