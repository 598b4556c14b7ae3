"""Expected information: how many bits about a set of labels an answer is expected to give.

The expected reduction of entropy by an answer is the mutual information of answer and label (Shannon 1948; Lindley 1956
for the choice of experiments).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log2

Table = Mapping[str, Mapping[str, float]]  # answer -> label -> mass


def table(rows: Iterable[tuple[float, str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """The joint mass of answers and labels, from (weight, label, distribution of the answer) of each hypothesis."""
    joint: dict[str, dict[str, float]] = {}
    for weight, label, answers in rows:
        for answer, p in answers.items():
            if weight * p > 0:
                row = joint.setdefault(answer, {})
                row[label] = row.get(label, 0.0) + weight * p
    return joint


def bits(joint: Table) -> float:
    """The mutual information of answer and label in bits; masses need not add up to 1."""
    labels: dict[str, float] = {}
    for row in joint.values():
        for label, mass in row.items():
            labels[label] = labels.get(label, 0.0) + mass
    total = sum(labels.values()) or 1.0
    gain = 0.0
    for row in joint.values():
        answer = sum(row.values())
        for label, mass in row.items():
            gain += mass / total * log2(mass * total / (answer * labels[label]))
    return max(gain, 0.0)
