"""Whether replies come straight from the node or through a router: the TTL of what arrives.

A reply with an untouched initial TTL (64, 128, 255) passed no router. Answers: direct, routed.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ROUTED
from kubereach.model.fact import ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.walk import bypasses_router
from kubereach.simulate.world import World

KIND = "reply_path"
BACKGROUND: Distribution = {"direct": 0.5, "routed": 0.5}
INITIAL_TTLS = frozenset({64, 128, 255})


def sightings(network: Network) -> Iterable[Sighting]:
    """The TTLs of ping replies that the client saw on a way that passes a router."""
    if network.seen("client", ROUTED) is not True:
        return
    for fact in network.observed:
        if not isinstance(fact, ProbeResult) or fact.probe is not ProbeKind.PING or fact.source != "client":
            continue
        if fact.target == network.flow.address and fact.reply_ttls:
            ttl = max(fact.reply_ttls)
            yield Sighting(
                question=Question(KIND, "client"),
                answers=frozenset({"direct" if ttl in INITIAL_TTLS else "routed"}),
                origins=(fact.origin,),
                trust=fact.trust,
                says=f"replies arrive with ttl={ttl}",
            )


def predict(world: World, question: Question) -> Distribution | None:
    """Direct where client and nodes share a segment."""
    return {"direct": 0.95, "routed": 0.05} if bypasses_router(world) else {"direct": 0.1, "routed": 0.9}


def offers(network: Network) -> Iterable[Offer]:
    """Ping shows it by the way."""
    return ()


def means(world: World, question: Question) -> str:
    """The way back."""
    if bypasses_router(world):
        return "the way back bypasses the router: the node answers the client directly on the shared segment"
    return "the replies come back through the router"
