"""How many routes go over a session: the router's accepted prefixes, a node's sent ones.

Asked of a node's session, at the router's end or the node's. Answers: some, none, policy (FRR's `(Policy)`: an eBGP
session without an import policy, RFC 8212). Only an established session answers.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.address import host_prefix
from kubereach.model.attribute import ANNOUNCER, EXTRA_EXPORT_FILTER, IMPORT_POLICY
from kubereach.model.fact import BgpSession
from kubereach.model.network import Network
from kubereach.probes.bgp_session import classify
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.announced import announced
from kubereach.simulate.bgp import session_up
from kubereach.simulate.world import World

KIND = "accepted"
BACKGROUND: Distribution = {"some": 0.7, "none": 0.25, "policy": 0.05}


def sightings(network: Network) -> Iterable[Sighting]:
    """The counters of established sessions."""
    for fact in network.observed:
        if not isinstance(fact, BgpSession) or classify(fact.state, "") != "established" or "mesh" in fact.peer_type:
            continue
        owner = network.owners.get(fact.peer, "")
        at_router = fact.device == "router" or (not fact.device and owner in network.nodes)
        if at_router and fact.policy_refused:
            yield _sighting(owner, "router", "policy", fact, "accepts nothing: no import policy")
        elif at_router and fact.prefixes_received is not None:
            answer = "some" if fact.prefixes_received else "none"
            yield _sighting(owner, "router", answer, fact, f"{fact.prefixes_received} prefixes accepted")
        elif fact.device in network.nodes and fact.prefixes_sent is not None and owner not in network.nodes:
            answer = "some" if fact.prefixes_sent else "none"
            yield _sighting(fact.device, "node", answer, fact, f"{fact.prefixes_sent} prefixes sent")


def _sighting(node: str, end: str, answer: str, fact: BgpSession, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, node, (end,)),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=f"session with {fact.peer or fact.name}: {says}",
    )


def predict(world: World, question: Question) -> Distribution | None:
    """From what the node announces and the router admits; Calico's nodes send their pod blocks besides."""
    nodes = [question.where] if question.where in world.network.nodes else list(world.network.nodes)
    parts = [words for node in nodes if (words := _of_node(world, node, question.about[0] == "router")) is not None]
    return mixed((1.0, words) for words in parts) if parts else None


def _of_node(world: World, node: str, at_router: bool) -> Distribution | None:  # noqa: FBT001  # one of two ends
    if not session_up(world, node):
        return None
    flow = world.network.flow
    if at_router and world.get("router", IMPORT_POLICY) == "none":
        return {"none": 0.55, "policy": 0.4, "some": 0.05}
    filtered = world.get("cluster", EXTRA_EXPORT_FILTER)
    host = host_prefix(flow.address)
    routes = announced(world, flow.service, flow.address).routes
    sent = any(r.node == node and not (filtered and r.prefix == host) for r in routes)
    blocks = world.get("cluster", ANNOUNCER) in {"calico-bgp", "kube-router"}
    if sent:
        return {"some": 0.96, "none": 0.03, "policy": 0.01}
    return {"some": 0.7 if blocks and not filtered else 0.25, "none": 0.29 if blocks else 0.74, "policy": 0.01}


def offers(network: Network) -> Iterable[Offer]:
    """The listing of sessions shows it as well; see bgp_session."""
    return ()


def means(world: World, question: Question) -> str:
    """Whether the service's route may be among them."""
    words = predict(world, question) or BACKGROUND
    if words.get("some", 0.0) > 0.5:
        return "routes pass over that session"
    return "no route passes over that session"
