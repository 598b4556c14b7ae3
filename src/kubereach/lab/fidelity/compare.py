"""Predictions held against what was seen: one world, one bundle of real probe outputs, every question they answer.

What was seen is read by the readers and put to questions by the probes, exactly as a user's bundle would be, so that a
misread output shows up as a disagreement too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from kubereach.build.assemble import build
from kubereach.build.target import Choice
from kubereach.diagnose.catalogue import applied, fault_module
from kubereach.diagnose.fault import Suspect
from kubereach.diagnose.observe import collect, probe
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.lab.measure import Output
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import address_of
from kubereach.model.fact import AnyFact
from kubereach.model.network import Network
from kubereach.probes.question import Question
from kubereach.simulate.world import World

# What the lab writes itself (objects of the API and what agents' pods report), and what people feel, is no measurement;
# nor is the age of a session in a lab that is seconds old.
UNMEASURED = frozenset(
    {"complaint", "address_given", "agents", "allocator", "allocation_message", "tell", "name", "session_habit"}
)
SAYS = 0.75  # a prediction whose likeliest answer has less says nothing that could be wrong


class Comparison(Struct, frozen=True):
    """One question: the likeliest answer of the world with its probability, and the answers that reality allows.

    `predicted` is "" where the world says nothing (insufficient information).
    """

    question: Question
    predicted: str
    probability: float
    seen: tuple[str, ...]
    says: str

    @property
    def decided(self) -> bool:
        """Whether the prediction says something that can be right or wrong."""
        return bool(self.predicted) and self.probability >= SAYS

    @property
    def agrees(self) -> bool:
        """Whether reality shows the likeliest answer."""
        return self.predicted in self.seen


def facts_of(outputs: Iterable[Output]) -> tuple[AnyFact, ...]:
    """What the documents of a bundle say."""
    documents = sorted((Document(o.name, o.data) for o in outputs), key=lambda d: d.name)
    return read_evidence(documents).facts


def network_of(scenario: Scenario, client: str, outputs: Iterable[Output]) -> Network:
    """The network that the documents give, with the flow from `client` to the scenario's target."""
    service = scenario.service
    choice = Choice(
        service=f"{service.namespace}/{scenario.target}",
        address=f"{service.address}:{service.port}",
        client=address_of(scenario, client),
    )
    return build(facts_of(outputs), choice)


def world_of(network: Network, faults: Sequence[str]) -> World:
    """The completed world with the faults CODE@SUBJECT put in, one after the other."""
    world = World(network)
    for fault in faults:
        code, _, subject = fault.partition("@")
        world = applied(world, (Suspect(fault=fault_module(code).FAULT, subject=subject),))
    return world


def compare(world: World, observed: Network) -> tuple[Comparison, ...]:
    """Every question that `observed` answers, with the world's answer."""
    found = []
    for group in collect(observed):
        for sighting in group.sightings:
            if sighting.question.kind in UNMEASURED:
                continue
            answer = probe(sighting.question.kind).predict(world, sighting.question)
            best = max(sorted(answer), key=lambda a: answer[a]) if answer else ""
            found.append(
                Comparison(
                    question=sighting.question,
                    predicted=best,
                    probability=round(answer[best], 3) if answer else 0.0,
                    seen=tuple(sorted(sighting.answers)),
                    says=sighting.says,
                )
            )
    return tuple(found)
