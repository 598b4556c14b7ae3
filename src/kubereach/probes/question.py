"""Questions to the world, the answers that evidence gives, and the probes that would give more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from kubereach.model.fact import Trust
from kubereach.model.network import Network
from kubereach.model.origin import Origin
from kubereach.simulate.world import World

Distribution = Mapping[str, float]
KUBECTL = "any host with kubectl"


class Question(Struct, frozen=True):
    """`kind` is the probe's module, `where` the subject it is put to, `about` what exactly is asked."""

    kind: str
    where: str
    about: tuple[str | int, ...] = ()


class Sighting(Struct, frozen=True, kw_only=True):
    """An answered question. Several `answers` when the tool cannot tell them apart (nmap's `filtered`)."""

    question: Question
    answers: frozenset[str]
    origins: tuple[Origin, ...]
    trust: Trust
    says: str


class Offer(Struct, frozen=True, kw_only=True):
    """A question that could be asked: `cost` in seconds of a person's time, privilege and risk as in the report."""

    question: Question
    where: str
    command: str
    cost: float = 30.0
    privilege: str = "none"
    risk: str = "none"
    words: Mapping[str, str] = {}  # answer -> what one would read on the screen


class Probe(Protocol):
    """The shape of a module in this package."""

    BACKGROUND: Distribution

    def sightings(self, network: Network) -> Iterable[Sighting]: ...  # noqa: D102

    def predict(self, world: World, question: Question) -> Distribution | None: ...  # noqa: D102

    def offers(self, network: Network) -> Iterable[Offer]: ...  # noqa: D102

    def means(self, world: World, question: Question) -> str: ...  # noqa: D102


def mixed(parts: Iterable[tuple[float, Distribution]]) -> Distribution:
    """The mixture of distributions by weight; weights need not add up to 1."""
    total: dict[str, float] = {}
    for weight, part in parts:
        for answer, p in part.items():
            total[answer] = total.get(answer, 0.0) + weight * p
    scale = sum(total.values()) or 1.0
    return {answer: p / scale for answer, p in total.items()}


def likeliest(answers: Distribution | None) -> str:
    """The answer with the highest probability, the first of equals; "" where nothing is predicted."""
    return max(answers, key=answers.__getitem__) if answers else ""
