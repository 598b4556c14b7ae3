"""The verdict: what the client gets, and how far the evidence carries that."""

from __future__ import annotations

from kubereach.diagnose.explain import SURPRISING, Blame, fit
from kubereach.diagnose.observe import Group
from kubereach.diagnose.rank import Ranking
from kubereach.diagnose.roles import service_walk
from kubereach.model.diagnosis import Role, Verdict
from kubereach.simulate.walk import PARTLY, WORKS

# What a client's attempts show when nothing comes, and when something comes at times or badly.
LOST = frozenset({"timeout", "refused"})
UNEVEN = frozenset({"intermittent", "mixed", "slow", "resets"})
# Kinds whose answers show where packets of this flow go, and not only that some part is as it is.
_TELLING = frozenset({"next_hop", "arp", "capture", "address_given"})


def verdict(ranking: Ranking, groups: tuple[Group, ...], blamed: tuple[Blame, ...]) -> Verdict:
    """What the client gets, as far as evidence goes.

    Reachable only when somebody outside was seen to reach it, or when only a misreading explains the complaint.
    Unreachable only when somebody was seen to fail, or when the evidence singles out what makes it fail: that people
    complain is not enough.
    """
    answers = _client_answers(groups)
    lost = bool(answers & LOST)
    works, degraded, fails, misread = _masses(ranking, lost=lost)
    if answers & UNEVEN or ("reply" in answers and lost):
        return Verdict.DEGRADED if fails + degraded > works else Verdict.REACHABLE
    if works >= 0.6 and ("reply" in answers or misread >= 0.5):
        return Verdict.REACHABLE
    if degraded > max(fails, works, 0.5):
        return Verdict.DEGRADED
    failed = bool(answers) and "reply" not in answers
    leading = max((b.probability for b in blamed if b.role is Role.ROOT), default=0.0)
    if fails + degraded + ranking.residual * failed >= 0.6 and (failed or _shown(ranking, groups) or leading >= 0.5):
        return Verdict.UNREACHABLE
    return Verdict.UNDETERMINED


def _masses(ranking: Ranking, *, lost: bool) -> tuple[float, float, float, float]:
    """The mass of the worlds in which the flow works, works in part, fails; and of those that work and are misread."""
    works = degraded = fails = misread = 0.0
    for hypothesis in ranking.hypotheses:
        found = service_walk(hypothesis.world)
        good = found.share(*WORKS)
        if good >= 0.98:
            works += hypothesis.weight
            misread += hypothesis.weight * any(s.fault.misread for s in hypothesis.assumed)
        elif (good > 0.02 and found.together) or (found.share(*PARTLY) > 0.5 and not lost):
            degraded += hypothesis.weight
        else:
            fails += hypothesis.weight
    return works, degraded, fails, misread


def _shown(ranking: Ranking, groups: tuple[Group, ...]) -> bool:
    """Whether something shows the flow going another way than the configuration means it to."""
    meant = ranking.bases[:1]
    seen = [s for g in groups for s in g.sightings if s.question.kind in _TELLING and "given" not in s.answers]
    return any(fit(base, sighting) < SURPRISING for base in meant for sighting in seen)


def _client_answers(groups: tuple[Group, ...]) -> frozenset[str]:
    """What the client got. A completed handshake is no reply where somebody also tried to get data."""
    answers: dict[tuple[str | int, ...], set[str]] = {}
    for group in groups:
        for sighting in group.sightings:
            if sighting.question.kind == "connect" and sighting.question.where == "client":
                answers.setdefault(sighting.question.about, set()).update(sighting.answers)
    data = answers.get(("data",))
    return frozenset(data if data is not None else set().union(*answers.values()))
