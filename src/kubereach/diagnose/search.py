"""The likeliest sets of faults, found without walking what cannot matter: best first, directed by conflicts.

What a set explains badly is its conflict: only a fault that touches what those predictions read can mend it, and by no
more than what they lack (de Kleer and Williams, Diagnosing multiple faults, 1987; conflict-directed A* by Williams and
Ragno, 2007). So each one-fault extension of a judged set has an upper bound from the set alone, and the sets are judged
best first, until none left can come near the best one.

The bound of whatever grows from an extension: the faults of a larger set can be put in with the most gainful first, so
that no later one gains more than this one does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Generic, Protocol, TypeVar

from msgspec import Struct


class Judged(Protocol):
    """A set of faults whose world was walked; `score` is the logarithm of its weight."""

    @property
    def score(self) -> float: ...  # noqa: D102


S = TypeVar("S", bound=Judged)


class Extension(Struct, Generic[S], frozen=True):
    """A set with one more fault, not walked yet.

    `gain` is what the fault adds to the score at most (it may be negative), and `likely` what it probably adds: what
    seems best is walked first. `key` identifies the set that comes out, `tie` orders what seems equally good, and
    `make` is told the best score so far and walks it: None where it turns out to be no different, or not worth growing.
    """

    gain: float
    likely: float
    key: Hashable
    tie: tuple[object, ...]
    make: Callable[[float], S | None]


class Limits(Struct, frozen=True):
    """Sets of at most `size` faults; what lies `depth` below the best score is left out.

    At most `walks` sets of two or more are walked.
    """

    size: int
    depth: float
    walks: int


Extend = Callable[[S, float], Iterable[Extension[S]]]


def search(roots: Sequence[S], extend: Extend[S], limits: Limits) -> Iterator[S]:
    """Every root, and the sets grown from them, in the order in which they are walked.

    `extend` gives a set's extensions, and may leave out those that cannot reach the score that it is told. Complete for
    all sets within `depth` of the best, as long as `walks` lasts.
    """
    heap: list[tuple[float, int, tuple[object, ...], int, float, Extension[S]]] = []
    best = max((root.score for root in roots), default=float("-inf"))
    seen: set[Hashable] = set()
    grown = [(root, 0) for root in roots]
    number = walks = 0
    yield from roots
    while grown or heap:
        for one, size in grown:
            spent = size >= limits.size or (size > 0 and walks >= limits.walks)
            for extension in () if spent else extend(one, best - limits.depth):
                number += 1
                order = -round(one.score + extension.likely, 9)
                heappush(heap, (order, size + 1, extension.tie, number, one.score + extension.gain, extension))
        grown = []
        if not heap:
            return
        _, size, _, _, bound, extension = heappop(heap)
        reachable = bound + (limits.size - size) * max(extension.gain, 0.0)
        if extension.key in seen or (size > 1 and walks >= limits.walks) or reachable < best - limits.depth:
            continue
        seen.add(extension.key)
        walks += size > 1
        made = extension.make(best)
        if made is not None:
            best = max(best, made.score)
            yield made
            grown = [(made, size)]
