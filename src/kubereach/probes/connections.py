"""What a node's connection tracking holds for the flow: `conntrack -L`, /proc/net/nf_conntrack.

The reply that an entry expects tells whether the packet was translated, and to which pod. Answers: `translated` (the
reply comes from a pod of the service, or from one that nobody lists), `untranslated` (from the service's own address),
`gone` (from an address that is none of the listed endpoints).
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ENDPOINTS, NOT_PROGRAMMED, PROXY_DOWN, PROXY_MODE, STALE_CONNTRACK
from kubereach.model.fact import LogEvent
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, likeliest
from kubereach.simulate.announced import ready_endpoints
from kubereach.simulate.walk import on_node
from kubereach.simulate.world import World

KIND = "connections"
BACKGROUND: Distribution = {"translated": 0.7, "untranslated": 0.2, "gone": 0.1}
MOST = 200  # entries that are looked at


def sightings(network: Network) -> Iterable[Sighting]:
    """One sighting for each node and answer, however many entries give it."""
    flow = network.flow
    found: dict[tuple[str, str], list[LogEvent]] = {}
    tracked = [f for f in network.observed if isinstance(f, LogEvent) and f.program == "conntrack"]
    endpoints = {e.address for e in network.seen(flow.service, ENDPOINTS) or () if e.address}
    for fact in tracked[:MOST]:
        fields = dict(fact.fields)
        if fields.get("dst") != flow.address or not fields.get("reply_src"):
            continue
        if str(flow.port or "") not in {"", fields.get("dport", "")}:
            continue
        source = fields["reply_src"]
        answer = (
            "untranslated" if source == flow.address else "gone" if endpoints - {source} == endpoints else "translated"
        )
        if answer == "gone" and not endpoints:
            answer = "translated"
        found.setdefault((fact.device or "cluster", answer), []).append(fact)
    for (node, answer), facts in found.items():
        yield Sighting(
            question=Question(KIND, node, (facts[0].event in {"UNREPLIED", "SYN_SENT"},)),
            answers=frozenset({answer}),
            origins=tuple(f.origin for f in facts[:2]),
            trust=facts[0].trust,
            says=f"{len(facts)} tracked connections to {flow.address}: {answer}",
        )


def predict(world: World, question: Question) -> Distribution | None:
    """A node whose proxy works translates what it tracks; stale entries, and nodes without rules, do not."""
    service, mode = world.network.flow.service, world.get("cluster", PROXY_MODE)
    if mode == "ebpf":
        return None  # Cilium and Calico keep tables of their own
    nodes = [question.where] if question.where in world.network.nodes else list(world.network.nodes)
    if any(on_node(world, node, STALE_CONNTRACK) for node in nodes):
        return {"untranslated": 0.55, "gone": 0.4, "translated": 0.05}
    ruleless = any(on_node(world, n, PROXY_DOWN) or on_node(world, n, NOT_PROGRAMMED) for n in nodes)
    if ruleless or not ready_endpoints(world, service):
        return {"untranslated": 0.9, "gone": 0.02, "translated": 0.08}
    gone = 0.005 if question.about == (True,) else 0.02  # an old flow's entry stays a while, a new one's is not made
    return {"translated": 0.95, "untranslated": 0.05 - gone, "gone": gone}


def offers(network: Network) -> Iterable[Offer]:
    """The entries of the address on each node."""
    if not network.flow.address:
        return
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node, (True,)),
            where=node,
            command=f"sudo conntrack -L -d {network.flow.address}   # while the client tries",
            cost=45,
            privilege="root",
            words={
                "translated": "the second src= is a pod's address",
                "untranslated": "the second src= is the service's own address",
                "gone": "the second src= is a pod that does not exist any more",
            },
        )


def means(world: World, question: Question) -> str:
    """Whether the node translates what it tracks."""
    best = likeliest(predict(world, question))
    return {
        "translated": "the node translates the flow to a pod",
        "untranslated": "the node tracks the flow and does not translate it",
        "gone": "the node sends the flow to a pod that is gone",
    }.get(best, "")
