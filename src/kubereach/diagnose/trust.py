"""How often evidence is wrong: the probability that a capture of each trust does not show what it seems to.

Program output is wrong when it was taken elsewhere, at another time, or retyped; statements also when people err; a
token in prose may speak of another cluster, a plan, or the past.
"""

from __future__ import annotations

from kubereach.model.fact import Trust

MISREPORT = {Trust.OUTPUT: 0.01, Trust.STATED: 0.03, Trust.MENTIONED: 0.15, Trust.SUPPOSED: 0.0}
# "Something that is not in the catalogue" against "nothing is wrong", before any evidence.
RESIDUAL_PRIOR = 0.02
# What an answer that no background names is given.
BACKGROUND_FLOOR = 0.15
# No prediction is surer of a single answer than this.
LEAST = 0.002
