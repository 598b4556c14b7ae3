"""How many routes go over a session: the router's accepted prefixes, a node's sent ones.

Asked of a node's session, at the router's end or the node's; and of the router about `all` its sessions, where each
of them gives the same answer, since what the router does to one it does to all, and of which sessions carry routes
where they differ (apart or otherwise: about those `with` and `without`). Answers: some, none, policy (FRR's
`(Policy)`: an eBGP session without an import policy, RFC 8212), refused (all that was received, by the import policy),
partly (some of it). Only an established session answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from kubereach.model.address import host_prefix
from kubereach.model.attribute import ANNOUNCER, EXTRA_EXPORT_FILTER, IMPORT_POLICY
from kubereach.model.fact import BgpSession
from kubereach.model.network import Network
from kubereach.probes.bgp_session import classify
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.announced import announced
from kubereach.simulate.bgp import held
from kubereach.simulate.world import World

KIND = "accepted"
LEAST_HELD = 0.3  # where an end holds the session less often than this, it counts no routes
BACKGROUND: Distribution = {
    "some": 0.64,
    "none": 0.22,
    "policy": 0.05,
    "refused": 0.04,
    "partly": 0.03,
    "apart": 0.1,
    "otherwise": 0.9,
}
# How often all nodes send prefixes of their pods to the router, or others beside the service's.
BLOCKS, OTHERS = 0.7, 0.2
_WHY_NONE = frozenset({"refused", "policy"})


def sightings(network: Network) -> Iterable[Sighting]:
    """The counters of established sessions."""
    found = list(_counters(network))
    mine = [s for s in found if s.question.about == ("router",)]
    same = frozenset.union(*(s.answers for s in mine)) if mine else frozenset()
    if "none" in same and len(same) == 2 and same & _WHY_NONE:
        same -= {"none"}  # one output says why, where others only count
    nodes = tuple(dict.fromkeys(s.question.where for s in mine))
    if same == {"some", "none"} and len(nodes) == len(mine) and set(nodes) <= set(network.nodes):
        yield from (s for s in found if s not in mine)
        yield _apart(mine)
        return
    if len(nodes) < 2 or len(same) != 1 or not set(nodes) <= set(network.nodes):
        yield from found
        return
    yield from (s for s in found if s not in mine)
    yield Sighting(
        question=Question(KIND, "router", ("all", *nodes)),
        answers=same,
        origins=tuple(o for s in mine for o in s.origins),
        trust=min(s.trust for s in mine),
        says=f"each session of the router's: {mine[0].says.partition(': ')[2]}",
    )


def _apart(mine: list[Sighting]) -> Sighting:
    """Sessions of which some carry routes and others none: what all nodes send is no reason for that."""
    carrying = [s.question.where for s in mine if s.answers == {"some"}]
    idle = [s.question.where for s in mine if s.answers == {"none"}]
    return Sighting(
        question=Question(KIND, "router", ("with", *carrying, "without", *idle)),
        answers=frozenset({"apart"}),
        origins=tuple(o for s in mine for o in s.origins),
        trust=min(s.trust for s in mine),
        says=f"{len(carrying)} of {len(mine)} sessions carry prefixes to the router",
    )


def _counters(network: Network) -> Iterable[Sighting]:
    for fact in network.observed:
        if not isinstance(fact, BgpSession) or classify(fact.state, "") != "established" or "mesh" in fact.peer_type:
            continue
        owner = network.owners.get(fact.peer, "")
        at_router = fact.device == "router" or (not fact.device and owner in network.nodes)
        if at_router and fact.policy_refused:
            yield _sighting(owner, "router", "policy", fact, "accepts nothing: no import policy")
        elif at_router and (fact.prefixes_received is not None or fact.prefixes_refused):
            says = f"{fact.prefixes_received or 0} prefixes accepted"
            if fact.prefixes_refused:
                answer = "partly" if fact.prefixes_received else "refused"
                yield _sighting(owner, "router", answer, fact, f"{says}, {fact.prefixes_refused} refused")
            else:
                yield _sighting(owner, "router", "some" if fact.prefixes_received else "none", fact, says)
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
    if question.about[0] == "all":
        each = [_of_node(world, str(node), at_router=True) for node in question.about[1:]]
        known = [words for words in each if words is not None]
        return {a: min(words.get(a, 0.0) for words in known) for a in BACKGROUND} if known else None
    if question.about[0] == "with":
        chance = _chance_apart(world, [str(part) for part in question.about])
        return None if chance is None else {"apart": chance, "otherwise": 1 - chance}
    nodes = [question.where] if question.where in world.network.nodes else list(world.network.nodes)
    parts = [words for node in nodes if (words := _of_node(world, node, at_router=question.about[0] == "router"))]
    return mixed((1.0, words) for words in parts) if parts else None


def _chance_apart(world: World, about: list[str]) -> float | None:
    """How likely just these sessions carry prefixes, whether or not all nodes send others besides."""
    middle = about.index("without")
    nodes = [(node, True) for node in about[1:middle]] + [(node, False) for node in about[middle + 1 :]]
    known = [(node, carries) for node, carries in nodes if held(world, node, at_router=True) >= LEAST_HELD]
    if not known:
        return None
    policy = world.get("router", IMPORT_POLICY)
    besides = 0.0 if policy == "none" else BLOCKS if _sends_blocks(world) else OTHERS
    admitted = {"none": 0.03, "aggregates-only": 0.6}.get(policy, 0.94)
    own = [(admitted if _sends(world, node) else 0.03, carries) for node, carries in known]
    alone = prod(p if carries else 1 - p for p, carries in own)
    return besides * prod(0.94 if carries else 0.06 for _, carries in known) + (1 - besides) * alone


def _sends(world: World, node: str) -> bool:
    """Whether the node sends the service's own route, as an aggregate at least."""
    flow = world.network.flow
    kept = host_prefix(flow.address) if world.get("cluster", EXTRA_EXPORT_FILTER) else None
    return any(r.node == node and r.prefix != kept for r in announced(world, flow.service, flow.address).routes)


def _sends_blocks(world: World) -> bool:
    return world.get("cluster", ANNOUNCER) in {"calico-bgp", "kube-router"}


def _of_node(world: World, node: str, *, at_router: bool) -> Distribution | None:
    if held(world, node, at_router=at_router) < LEAST_HELD:
        return None
    policy = world.get("router", IMPORT_POLICY) if at_router else ""
    if policy == "none":
        return {"none": 0.28, "policy": 0.35, "refused": 0.32, "some": 0.03, "partly": 0.02}
    sent = _sends(world, node)
    if sent and policy == "aggregates-only":
        return {"some": 0.55, "partly": 0.3, "refused": 0.1, "none": 0.04, "policy": 0.01}
    few = {"policy": 0.01, "refused": 0.01, "partly": 0.01}
    if sent:
        return few | {"some": 0.94, "none": 0.03}
    blocks, filtered = _sends_blocks(world), world.get("cluster", EXTRA_EXPORT_FILTER)
    return few | {"some": 0.7 if blocks and not filtered else 0.25, "none": 0.27 if blocks else 0.72}


def offers(network: Network) -> Iterable[Offer]:
    """The listing of sessions shows it as well; see bgp_session."""
    return ()


def means(world: World, question: Question) -> str:
    """Whether the service's route may be among them."""
    words = predict(world, question) or BACKGROUND
    if words.get("some", 0.0) > 0.5:
        return "routes pass over that session"
    return "no route passes over that session"
