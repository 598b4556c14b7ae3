"""From which address answers come: a capture at the client, or on the way to it.

Answers: service (the address that was asked), other (a pod's or a node's own address).
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ENDPOINTS
from kubereach.model.fact import Packet
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate import walk as w
from kubereach.simulate.world import World

KIND = "reply_source"
BACKGROUND: Distribution = {"service": 0.8, "other": 0.2}


def sightings(network: Network) -> Iterable[Sighting]:
    """SYN-ACKs that the client, or the router before it, saw; a node's inside shows pods' addresses anyway."""
    pods = {e.address for e in network.seen(network.flow.service, ENDPOINTS) or ()}
    for fact in network.observed:
        if not isinstance(fact, Packet) or fact.what != "tcp" or "S" not in fact.flags or "." not in fact.flags:
            continue
        if fact.device not in {"client", "router"}:
            continue
        owner = network.owners.get(fact.source, "")
        if fact.source == network.flow.address:
            if network.flow.port is not None and fact.source_port not in {None, network.flow.port}:
                continue  # another port of the address, whose own daemon answers
            yield _sighting("service", fact)
        elif fact.source in pods or owner in network.nodes:
            yield _sighting("other", fact)


def _sighting(answer: str, fact: Packet) -> Sighting:
    return Sighting(
        question=Question(KIND, "client"),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=f"a SYN-ACK from {fact.source} comes to the {fact.device}",
    )


def predict(world: World, question: Question) -> Distribution | None:
    """From the branches that end with a source that the client does not know."""
    flow = world.network.flow
    found = w.walk(world, flow.service, w.Packet("client", flow.address, flow.port or 80))
    share = sum(b.weight for b in found.branches if b.why.endswith(w.UNKNOWN_SOURCE))
    return {"other": 0.03 + 0.94 * share, "service": 0.97 - 0.94 * share}


def offers(network: Network) -> Iterable[Offer]:
    """A capture at the client."""
    if network.flow.address:
        yield Offer(
            question=Question(KIND, "client"),
            where="client",
            command=f"sudo tcpdump -ni any 'tcp port {network.flow.port or 80} or tcp[tcpflags] & tcp-rst != 0'",
            cost=45,
            privilege="root",
            words={"service": f"answers come from {network.flow.address}", "other": "answers come from elsewhere"},
        )


def means(world: World, question: Question) -> str:
    """Whether the client can take the answer for one."""
    words = predict(world, question) or BACKGROUND
    return "answers have the service's address" if words["service"] > 0.5 else "answers have another source"
