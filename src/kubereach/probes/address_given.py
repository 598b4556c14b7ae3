"""Whether the service has an external address at all. Answers: given, pending."""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ADDRESSES
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.announced import given
from kubereach.simulate.world import World

KIND = "address_given"
BACKGROUND: Distribution = {"given": 0.9, "pending": 0.1}


def sightings(network: Network) -> Iterable[Sighting]:
    """The service's status."""
    seen = network.settings.get(ADDRESSES.of(network.flow.service))
    if seen is not None and seen.origins:
        pending = not seen.value
        yield Sighting(
            question=Question(KIND, network.flow.service),
            answers=frozenset({"pending" if pending else "given"}),
            origins=seen.origins[:1],
            trust=seen.trust,
            says="no external address yet" if pending else f"external address {network.flow.address}",
        )


def predict(world: World, question: Question) -> Distribution | None:
    """Given unless the allocation fails."""
    return {"given": 0.99, "pending": 0.01} if given(world, question.where) else {"pending": 0.97, "given": 0.03}


def offers(network: Network) -> Iterable[Offer]:
    """The service's own line and events."""
    _, namespace, name = network.flow.service.split("/")
    if network.seen(network.flow.service, ADDRESSES) is None:
        yield Offer(
            question=Question(KIND, network.flow.service),
            where="any host with kubectl",
            command=f"kubectl -n {namespace} describe service {name.strip('()')}",
            cost=10,
            words={"given": "LoadBalancer Ingress: an address", "pending": "no LoadBalancer Ingress, or an event"},
        )


def means(world: World, question: Question) -> str:
    """Allocation only."""
    if given(world, question.where):
        return "an address was allocated; that says nothing about its announcement"
    return "no address was allocated"
