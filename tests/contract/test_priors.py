"""docs/priors.md repeats the numbers of the code, and each number there has a reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kubereach.diagnose import variants
from kubereach.diagnose.chance import Chance, Split
from kubereach.diagnose.priors import PAGE, page

ROOT = Path(__file__).parents[2]
FAULTS = sorted((ROOT / "src/kubereach/diagnose/faults").glob("[!_]*.py"))


def test_the_page_is_what_the_code_says() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(), "run `make priors`"


@pytest.mark.parametrize("path", FAULTS, ids=lambda p: p.stem)
def test_no_number_of_a_fault_goes_without_a_reason(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    reasoned = {
        id(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Chance"
    }
    bare = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, float)]
    assert [n.lineno for n in bare if id(n) not in reasoned] == []


def test_the_shares_of_a_variant_are_the_whole() -> None:
    splits = [value for value in vars(variants).values() if isinstance(value, Split)]
    assert splits
    assert all(sum(share for _, share in split.shares) == pytest.approx(1.0) for split in splits)


@pytest.mark.parametrize(("value", "why"), [(1.2, "too much"), (-0.1, "too little"), (0.1, "")])
def test_a_chance_is_a_probability_with_a_reason(value: float, why: str) -> None:
    with pytest.raises(ValueError, match="no probability"):
        Chance(value, why)


def test_a_chance_counts_as_the_number_it_is() -> None:
    chance = Chance(0.25, "one of four")
    assert chance * 2 == 0.5
    assert {chance: 1} == {0.25: 1}
    assert chance.why == "one of four"
