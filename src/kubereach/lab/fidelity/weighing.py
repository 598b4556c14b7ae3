"""What each observation of a diagnosis costs the true cause: for whoever wants to know why it was not named.

Takes the documents that `judging --keep` saved, ranks them again, and holds the best hypothesis that has the true fault
against the best of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log

from msgspec import Struct

from kubereach.build.assemble import build
from kubereach.build.target import Choice
from kubereach.diagnose.hypothesis import Hypothesis, background_of, chance
from kubereach.diagnose.observe import collect
from kubereach.diagnose.rank import rank
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.lab.fidelity.diagnosing import options
from kubereach.lab.scenario import Scenario
from kubereach.probes.question import Sighting


class Weighed(Struct, frozen=True):
    """A sighting, and how likely it is in the true cause's world, in the best one, and where nothing is known."""

    sighting: Sighting
    true: float
    best: float
    background: float

    @property
    def cost(self) -> float:
        """What it takes from the true cause against the best one, in nats."""
        return log(self.best / self.true)


def weigh(documents: Sequence[Document], scenario: Scenario, fault: str) -> tuple[Weighed, ...]:
    """All sightings, the costliest for `fault` (CODE@SUBJECT) first; () where no hypothesis has that fault."""
    flow = options(scenario)
    evidence = read_evidence(sorted(documents, key=lambda document: document.name))
    choice = Choice(service=flow.service, address=f"{flow.address}:{flow.port}", client=flow.from_)
    groups = collect(build(evidence.facts, choice))
    ranking = rank(build(evidence.facts, choice), groups)
    code, _, subject = fault.partition("@")
    having = [h for h in ranking.hypotheses if any(s.key[0] == code for s in (*h.assumed, *h.present))]
    exact = [h for h in having if any(s.key == (code, subject) for s in (*h.assumed, *h.present))]
    true = max(exact or having, key=lambda h: h.score, default=None)
    if true is None:
        return ()
    best = max(ranking.hypotheses, key=lambda h: h.score)
    found = (Weighed(s, _chance(true, s), _chance(best, s), background_of(s)) for g in groups for s in g.sightings)
    return tuple(sorted(found, key=lambda w: -w.cost))


def _chance(hypothesis: Hypothesis, sighting: Sighting) -> float:
    answer = hypothesis.predict(sighting.question)
    return background_of(sighting) if answer is None else chance(answer, sighting)


def lines(weighed: Sequence[Weighed]) -> Iterator[str]:
    """One line a sighting: the three likelihoods, the question, and what was seen."""
    for found in weighed:
        question = found.sighting.question
        about = " ".join(str(part) for part in (question.kind, question.where, *question.about))
        yield f"{found.true:.3f} {found.best:.3f} {found.background:.3f}  {about}: {found.sighting.says}"
