"""The next question worth asking: the highest expected information about the causes, per cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log2

from kubereach.diagnose.fault import Suspect
from kubereach.diagnose.observe import Group, probe
from kubereach.diagnose.rank import Hypothesis
from kubereach.diagnose.roles import Judged
from kubereach.model.diagnosis import Answer, NextProbe, Role
from kubereach.model.network import Network
from kubereach.probes._index import PROBES
from kubereach.probes.question import Distribution, Offer

MOST_PROBES = 5
MOST_SEPARATED = 4
LEAST_GAIN = 0.1
# What a login costs besides the seconds: asking somebody, finding the password.
PRIVILEGE_COST = {"none": 0.0, "exec": 15.0, "router": 10.0, "root": 40.0}


def next_probes(network: Network, judged: Judged, groups: tuple[Group, ...]) -> tuple[NextProbe, ...]:
    """The best questions that the evidence does not answer yet, the best first; at most one per command."""
    asked = {s.question for group in groups for s in group.sightings}
    blamed = [(h, _blame(found)) for h, found in judged]
    offers = [o for kind in PROBES for o in probe(kind).offers(network) if o.question not in asked]
    valued: dict[str, tuple[float, float, Offer]] = {}
    for offer in offers:
        gain = _gain(offer, blamed)
        worth = gain / (offer.cost + PRIVILEGE_COST.get(offer.privilege, 0.0))
        if gain >= LEAST_GAIN and (offer.command not in valued or valued[offer.command][0] < worth):
            valued[offer.command] = (worth, gain, offer)
    best = sorted(valued.values(), key=lambda j: (-round(j[0], 9), j[2].command))[:MOST_PROBES]
    return tuple(_described(offer, gain, blamed) for _, gain, offer in best)


Blamed = list[tuple[Hypothesis, str]]


def _blame(found: Mapping[Suspect, Role]) -> str:
    """The root causes of a hypothesis as one label."""
    codes = sorted(s.fault.code for s, r in found.items() if r in {Role.ROOT, Role.MISREAD})
    return "+".join(dict.fromkeys(codes)) or "nothing wrong"


def _gain(offer: Offer, blamed: Blamed) -> float:
    """Mutual information in bits between the answer and the causes."""
    joint: dict[str, dict[str, float]] = {}
    for hypothesis, label in blamed:
        answers = hypothesis.predict(offer.question) or probe(offer.question.kind).BACKGROUND
        for answer, p in answers.items():
            row = joint.setdefault(answer, {})
            row[label] = row.get(label, 0.0) + hypothesis.weight * p
    labels: dict[str, float] = {}
    for row in joint.values():
        for label, mass in row.items():
            labels[label] = labels.get(label, 0.0) + mass
    total = sum(labels.values()) or 1.0
    gain = 0.0
    for row in joint.values():
        answer_mass = sum(row.values())
        for label, mass in row.items():
            if mass > 0:
                gain += mass / total * log2(mass * total / (answer_mass * labels[label]))
    return max(gain, 0.0)


def _described(offer: Offer, gain: float, blamed: Blamed) -> NextProbe:
    by_answer = _by_answer(offer, blamed)
    separated: list[str] = []
    answers = []
    for answer, row in by_answer:
        ranked = sorted(row.items(), key=lambda item: (-round(item[1], 9), item[0]))
        mass = sum(row.values()) or 1.0
        leading = [(label, p / mass) for label, p in ranked if p / mass >= 0.08][:2]
        separated += [code for label, _ in leading[:1] for code in label.split("+") if label != "nothing wrong"]
        implies = "; ".join(f"{label.replace('+', ' and ')} ({p:.0%})" for label, p in leading)
        answers.append(Answer(answer=answer, implies=implies))
    codes = [*dict.fromkeys(separated), *_leading(blamed)]
    return NextProbe(
        where=offer.where,
        command=offer.command,
        separates=tuple(dict.fromkeys(codes))[:MOST_SEPARATED],
        gain_bits=round(gain, 3),
        privilege=offer.privilege,
        risk=offer.risk,
        if_answer=tuple(answers),
    )


def _leading(blamed: Blamed) -> Iterable[str]:
    weights: dict[str, float] = {}
    for hypothesis, label in blamed:
        for code in label.split("+"):
            if code != "nothing wrong":
                weights[code] = weights.get(code, 0.0) + hypothesis.weight
    return sorted(weights, key=lambda code: (-round(weights[code], 9), code))


def _by_answer(offer: Offer, blamed: Blamed) -> list[tuple[str, dict[str, float]]]:
    table: dict[str, dict[str, float]] = {}
    for hypothesis, label in blamed:
        answers: Distribution = hypothesis.predict(offer.question) or probe(offer.question.kind).BACKGROUND
        for answer, p in answers.items():
            # Answers that read alike on the screen are one answer to the person who looks.
            row = table.setdefault(offer.words.get(answer, answer), {})
            row[label] = row.get(label, 0.0) + hypothesis.weight * p
    likely = [(a, row) for a, row in table.items() if sum(row.values()) >= 0.03]
    return sorted(likely, key=lambda item: (-round(sum(item[1].values()), 9), item[0]))[:4]
