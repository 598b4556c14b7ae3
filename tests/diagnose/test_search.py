"""The search for sets of faults against an exact solver, and against trying every set.

A puzzle stands for a network: faults have costs, and so has an observation that is not explained. An observation is
explained where one of its supports is in the set and none of its spoilers is (an observation of success has the empty
support). Python-sat's RC2 solves the same puzzle as weighted partial MaxSAT.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from pysat.card import CardEnc
from pysat.examples.rc2 import RC2
from pysat.formula import WCNF, IDPool

from kubereach.diagnose.search import Extension, Limits, search

SIZE = 3


class Seen(Struct, frozen=True):
    """An observation of a puzzle."""

    weight: int
    supports: tuple[frozenset[int], ...]
    spoilers: frozenset[int]

    def explained(self, chosen: frozenset[int]) -> bool:
        return not self.spoilers & chosen and any(support <= chosen for support in self.supports)

    def touched(self) -> frozenset[int]:
        return self.spoilers.union(*self.supports)


class Puzzle(Struct, frozen=True):
    """Costs of the faults, and what was seen."""

    costs: tuple[int, ...]
    seen: tuple[Seen, ...]

    def score(self, chosen: frozenset[int]) -> int:
        return -sum(self.costs[f] for f in chosen) - sum(o.weight for o in self.seen if not o.explained(chosen))

    def every(self) -> Iterator[frozenset[int]]:
        for size in range(SIZE + 1):
            yield from map(frozenset, combinations(range(len(self.costs)), size))


class Set(Struct, frozen=True):
    """A set of faults with its score."""

    chosen: frozenset[int]
    score: float


def _extensions(puzzle: Puzzle, one: Set, floor: float) -> Iterator[Extension[Set]]:
    for fault in range(len(puzzle.costs)):
        if fault not in one.chosen:
            lacking = (o.weight for o in puzzle.seen if fault in o.touched() and not o.explained(one.chosen))
            gain = sum(lacking) - puzzle.costs[fault]
            chosen = one.chosen | {fault}
            make = partial(_remade, puzzle, chosen)
            yield Extension(gain, gain, chosen, tuple(sorted(chosen)), make)


def _walked(puzzle: Puzzle, chosen: frozenset[int]) -> Set:
    return Set(chosen, puzzle.score(chosen))


def _remade(puzzle: Puzzle, chosen: frozenset[int], _best: float) -> Set:
    return _walked(puzzle, chosen)


def _found(puzzle: Puzzle, depth: float = 0.0, walks: int = 10**6) -> list[Set]:
    root = _walked(puzzle, frozenset())
    return list(search([root], partial(_extensions, puzzle), Limits(SIZE, depth, walks)))


def _exact(puzzle: Puzzle) -> int:
    """The best score, by weighted partial MaxSAT."""
    names, formula = IDPool(), WCNF()
    faults = [names.id(("fault", f)) for f in range(len(puzzle.costs))]
    for variable, cost in zip(faults, puzzle.costs, strict=True):
        formula.append([-variable], weight=cost)
    for number, seen in enumerate(puzzle.seen):
        explained = names.id(("explained", number))
        formula.append([explained], weight=seen.weight)
        supports = [names.id(("support", number, i)) for i in range(len(seen.supports))]
        formula.append([-explained, *supports])
        for support, needed in zip(supports, seen.supports, strict=True):
            formula.extend([[-support, faults[f]] for f in needed])
        formula.extend([[-explained, -faults[f]] for f in seen.spoilers])
    if len(faults) > SIZE:
        formula.extend(CardEnc.atmost(faults, SIZE, vpool=names).clauses)
    with RC2(formula) as solver:
        assert solver.compute() is not None
        return -int(solver.cost)


def _puzzles(most: int) -> st.SearchStrategy[Puzzle]:
    fault = st.integers(0, most - 1)
    sets = st.frozensets(fault, max_size=2)
    seen = st.builds(Seen, st.integers(1, 30), st.lists(sets, max_size=4).map(tuple), st.frozensets(fault, max_size=2))
    costs = st.lists(st.integers(1, 9), min_size=most, max_size=most).map(tuple)
    return st.builds(Puzzle, costs, st.lists(seen, max_size=8).map(tuple))


@given(_puzzles(10))
@settings(deadline=None)
def test_the_best_set_is_the_exact_solver_s(puzzle: Puzzle) -> None:
    assert max(one.score for one in _found(puzzle)) == _exact(puzzle)


@given(_puzzles(7), st.integers(0, 12))
@settings(deadline=None)
def test_no_set_near_the_best_is_left_out(puzzle: Puzzle, depth: int) -> None:
    best = max(puzzle.score(chosen) for chosen in puzzle.every())
    near = {chosen for chosen in puzzle.every() if puzzle.score(chosen) >= best - depth}
    assert near <= {one.chosen for one in _found(puzzle, depth)}


@given(_puzzles(8))
@settings(deadline=None)
def test_no_set_is_walked_twice_and_each_has_its_own_score(puzzle: Puzzle) -> None:
    found = _found(puzzle, depth=5.0)
    assert len({one.chosen for one in found}) == len(found)
    assert all(one.score == puzzle.score(one.chosen) for one in found)


def _three_faults_among_many() -> Puzzle:
    """Ninety faults, of which three explain what was seen between them, and each of the rest a little of it."""
    failing = [
        Seen(20, (frozenset({f}), *(frozenset({other}) for other in range(f + 3, 90, 30))), frozenset())
        for f in range(3)
    ]
    successes = [Seen(6, (frozenset(),), frozenset(range(start, start + 8))) for start in range(3, 83, 8)]
    return Puzzle((3,) * 3 + (5,) * 87, (*failing, *successes))


def test_three_faults_are_found_without_trying_every_set() -> None:
    puzzle = _three_faults_among_many()
    found = _found(puzzle, depth=1.0)
    best = max(found, key=lambda one: one.score)
    assert best.chosen == {0, 1, 2}
    assert best.score == _exact(puzzle)
    assert len(found) < 500 < sum(1 for _ in puzzle.every()) / 200


def test_the_budget_counts_sets_of_two_and_more() -> None:
    found = _found(_three_faults_among_many(), depth=50.0, walks=7)
    assert sum(len(one.chosen) > 1 for one in found) == 7
    assert {one.chosen for one in found} >= {frozenset({f}) for f in range(3)}
