"""What the name that the client uses resolves to. Answers: same, other, none."""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import NAME_ELSEWHERE
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.world import World

KIND = "name"
BACKGROUND: Distribution = {"same": 0.6, "other": 0.2, "none": 0.2}


def sightings(network: Network) -> Iterable[Sighting]:
    """Look-ups by the client; one that leads to the address settles it, whatever else was asked."""
    asked = [f for f in network.observed if isinstance(f, ProbeResult) and f.probe is ProbeKind.DNS]
    asked = [f for f in asked if not f.source.startswith(("node/", "pod/"))]
    if not asked or not network.flow.address:
        return
    right = [f for f in asked if network.flow.address in {f.target, f.reason, f.at}]
    fact = (right or asked)[0]
    bad = {Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.REFUSED, Outcome.NOT_SEEN}
    answer = "same" if right else "none" if fact.outcome in bad or not fact.target else "other"
    yield Sighting(
        question=Question(KIND, "client"),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=f"{fact.target_name or 'the name'} resolves to {fact.target or 'nothing'}",
    )


def predict(world: World, question: Question) -> Distribution | None:
    """The service's address, unless the name leads elsewhere."""
    if world.get("client", NAME_ELSEWHERE):
        return {"other": 0.6, "none": 0.38, "same": 0.02}
    return {"same": 0.94, "other": 0.04, "none": 0.02}


def offers(network: Network) -> Iterable[Offer]:
    """Nothing that the complaint's own command does not show."""
    return ()


def means(world: World, question: Question) -> str:
    """Whether the name is to blame."""
    return "the name leads elsewhere" if world.get("client", NAME_ELSEWHERE) else "the name leads to the address"
