"""A probability that stands in the code, with the reason for it."""

from __future__ import annotations

from typing import Any, Self

from msgspec import Struct


class Chance(float):
    """A number in [0, 1] that counts as any other, and `why` it is that: docs/priors.md is generated from these.

    Where one holds only in some situation, `why` begins with it ("where two products are in use"). What is a guess by
    people who know the field, and rests on no count, says "estimate".
    """

    __slots__ = ("why",)
    why: str

    def __new__(cls, value: float, why: str) -> Self:
        """Raises ValueError for a number that is no probability, or one without a reason."""
        if not 0.0 <= value <= 1.0 or not why:
            raise ValueError(f"{value} ({why!r}) is no probability with a reason")
        chance = super().__new__(cls, value)
        chance.why = why
        return chance


class Split(Struct, frozen=True):
    """The values that an unknown setting may have, with their priors, which add up to 1, and why."""

    of: str
    shares: tuple[tuple[Any, float], ...]
    why: str
