"""Diagnosis put to the test: a fault is enacted, a user's first outputs are given, and one question after the other is

asked as the report suggests it, until the cause is clear or nothing is left to ask. Then the verdict meets the truth.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from kubereach.diagnose.catalogue import fault_module
from kubereach.evidence.document import Document
from kubereach.lab import enactment, live, system
from kubereach.lab.lab import Lab, taken_down
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import address_of
from kubereach.model.diagnosis import Cause, Diagnosis, NextProbe, Role, Verdict
from kubereach.pipeline import Options, diagnose

CLEAR = 0.9  # probability at which nobody asks on
MOST_QUESTIONS = 15
CERTAIN = 0.7  # a wrong cause with this probability is a confidently wrong one
# What people come with: what they tried, and the two outputs that everybody pastes.
FIRST = (
    ("client", "curl -sv -m 5 -o /dev/null http://ADDRESS:PORT/"),
    ("cluster", "kubectl get svc NAME -o yaml"),
    ("cluster", "kubectl get nodes -o wide"),
)


class Judged(Struct, frozen=True, kw_only=True):
    """How one diagnosis went. `causes` are roots by class with their probabilities, the likeliest first."""

    name: str
    fault: str
    truth: str  # the class
    hurts: bool  # whether the client's request fails at all
    verdict: str
    causes: tuple[tuple[str, float], ...]
    asked: tuple[str, ...]
    error: str = ""  # why there is no diagnosis

    @property
    def rank(self) -> int:
        """The place of the true class among the causes; 0 when it is not among them."""
        classes = [name for name, _ in self.causes]
        return classes.index(self.truth) + 1 if self.truth in classes else 0

    @property
    def wrongly_certain(self) -> bool:
        """Whether another cause is called likely, or a broken service well."""
        first = self.causes[:1]
        return bool(first) and first[0][0] != self.truth and first[0][1] >= CERTAIN


def judge(name: str, scenario: Scenario, fault: str, lab_name: str, keep: Path | None = None) -> Judged:
    """Enact `fault` in the scenario and diagnose it by asking; the outputs go to `keep`.

    Raises CommandError, UsageError.
    """
    with taken_down(system.up(lab_name, replace(scenario, faults=()), faults=False, stays=False)) as lab:
        enacted = enactment.enact(lab, fault)
        documents = [d for where, command in FIRST for d in live.ask(lab, where, command)]
        hurts = b"< HTTP/1.1 200" not in documents[0].data
        found, asked = _asking(lab, documents) if hurts else (_diagnosed(lab, documents), ())
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        for document in documents:
            (keep / document.name).write_bytes(document.data)
    code = enacted.partition("@")[0]
    return Judged(
        name=name,
        fault=enacted,
        truth=fault_module(code).FAULT.class_,
        hurts=hurts,
        verdict=found.verdict.value if isinstance(found.verdict, Verdict) else str(found.verdict),
        causes=tuple(_classes(found).items()),
        asked=asked,
    )


def _diagnosed(lab: Lab, documents: list[Document]) -> Diagnosis:
    return diagnose(documents, options(lab.scenario))


def options(scenario: Scenario) -> Options:
    """The flow that a scenario asks for."""
    service = scenario.service
    return Options(
        service=f"{service.namespace}/{scenario.target}",
        address=service.address,
        port=service.port,
        from_=address_of(scenario, scenario.client),
    )


def _asking(lab: Lab, documents: list[Document]) -> tuple[Diagnosis, tuple[str, ...]]:
    asked: list[str] = []
    tried: set[tuple[str, str]] = set()
    found = _diagnosed(lab, documents)
    while len(asked) < MOST_QUESTIONS and not _clear(found):
        answer: tuple[Document, ...] = ()
        for question in found.next_probes:
            key = (question.where, question.command)
            if key not in tried:
                tried.add(key)
                answer = _fresh(live.answer(lab, question), documents)
                if answer:
                    asked.append(_typed(question))
                    break
        if not answer:
            break
        documents += answer
        found = _diagnosed(lab, documents)
    return found, tuple(asked)


def _typed(question: NextProbe) -> str:
    return f"{question.where}: {question.command.partition(' #')[0]}"


def _fresh(answer: tuple[Document, ...], documents: list[Document]) -> tuple[Document, ...]:
    """The answer under names that no earlier document has."""
    taken = {document.name for document in documents}
    return tuple(Document(f"{len(taken)}.{d.name}" if d.name in taken else d.name, d.data) for d in answer)


def _clear(found: Diagnosis) -> bool:
    return any(cause.probability >= CLEAR for cause in _roots(found))


def _roots(found: Diagnosis) -> list[Cause]:
    return [c for c in found.causes if c.role in {Role.ROOT, Role.MISREAD}]


def _classes(found: Diagnosis) -> dict[str, float]:
    """Classes of the roots, each with its likeliest cause's probability."""
    best: dict[str, float] = {}
    for cause in _roots(found):
        best[cause.class_] = max(best.get(cause.class_, 0.0), cause.probability)
    return dict(sorted(best.items(), key=lambda item: -item[1]))
