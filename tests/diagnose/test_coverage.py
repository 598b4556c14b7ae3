"""Every fault of the catalogue has a case that it explains, but for a list that may only become shorter."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from kubereach.diagnose.faults._index import FAULTS

ROOT = Path(__file__).parents[1] / "cases"
# Faults without a case of their own. A code leaves this list with its first case, and none may join it.
WITHOUT_A_CASE: frozenset[str] = frozenset()


@cache
def _explained() -> frozenset[str]:
    """The codes that a case with `explains: yes` is about."""
    cases = (cast("dict[str, Any]", yaml.safe_load(p.read_text(encoding="utf-8"))) for p in ROOT.glob("*/case.yaml"))
    return frozenset(str(case["code"]) for case in cases if case["explains"] == "yes")


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_a_case_shows_what_the_fault_explains(code: str) -> None:
    if code in WITHOUT_A_CASE:
        assert code not in _explained(), f"{code} has a case now: take it off WITHOUT_A_CASE"
    else:
        assert code in _explained(), f"no case in tests/cases is explained by {code}"


def test_the_list_of_exceptions_names_faults_only() -> None:
    assert set(FAULTS) >= WITHOUT_A_CASE
