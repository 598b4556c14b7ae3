"""Wrong predictions that are known: each with its cause and what is expected to change.

An entry matches comparisons by the fields it names, each a regular expression: `fault`, `kind`, `where`, `about`,
`predicted`, `seen`, `scenario` (its traits, such as `calico-bgp iptables Local`). It is a strict expected failure: one
that matches nothing in a whole campaign is an error, so that what was mended shows up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from kubereach.lab.fidelity.compare import Comparison
from kubereach.lab.fidelity.experiment import Finding

FILE = Path("tests/kernel/sickbay.yaml")
FIELDS = ("fault", "kind", "where", "about", "predicted", "seen", "scenario")


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One known disagreement: `cause` says why the prediction is wrong, `expectation` what would make it right."""

    name: str
    cause: str
    expectation: str
    fault: str = ""
    kind: str = ""
    where: str = ""
    about: str = ""
    predicted: str = ""
    seen: str = ""
    scenario: str = ""


def load(path: Path = FILE) -> tuple[Case, ...]:
    """The known cases. Raises msgspec.ValidationError for a file that is none."""
    return tuple(msgspec.yaml.decode(path.read_bytes(), type=list[Case])) if path.exists() else ()


def known(cases: Sequence[Case], finding: Finding, comparison: Comparison) -> Case | None:
    """The case that a disagreement belongs to."""
    question = comparison.question
    shown = {
        "fault": " ".join(finding.faults),
        "kind": question.kind,
        "where": question.where,
        "about": " ".join(str(part) for part in question.about),
        "predicted": comparison.predicted,
        "seen": " ".join(comparison.seen),
        "scenario": finding.traits,
    }
    return next((case for case in cases if all(_fits(case, field, shown[field]) for field in FIELDS)), None)


def _fits(case: Case, field: str, value: str) -> bool:
    pattern = getattr(case, field)
    return not pattern or re.search(pattern, value) is not None
