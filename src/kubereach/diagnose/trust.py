"""How often evidence is wrong: the probability that a capture of each trust does not show what it seems to."""

from __future__ import annotations

from kubereach.diagnose.chance import Chance
from kubereach.model.fact import Trust

MISREPORT = {
    Trust.OUTPUT: Chance(0.02, "a program's output: taken elsewhere, at another time, or retyped; estimate"),
    Trust.STATED: Chance(0.03, "a statement in observed.yaml or stated.yaml: as output, and people err; estimate"),
    Trust.MENTIONED: Chance(0.15, "a word in prose, which may speak of another cluster, a plan, or the past; estimate"),
    Trust.SUPPOSED: Chance(0.0, "what somebody supposes (`what-if`) is so"),
}
RESIDUAL_PRIOR = Chance(
    0.02,
    'something that is not in the catalogue, against "nothing is wrong", before any evidence: '
    "as likely as a common fault at one place",
)
BACKGROUND_FLOOR = Chance(0.15, "an answer that no background names: one of about seven possible ones")
LEAST = Chance(0.002, "no prediction is surer of a single answer than this: programs and versions differ; estimate")
