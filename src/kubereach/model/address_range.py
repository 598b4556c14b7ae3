"""Pools as people write them: prefixes, `FIRST-LAST` ranges and single addresses, and the arithmetic on them."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from kubereach.model.address import parse_address, parse_prefix


class Range(Struct, frozen=True):
    """All addresses of one family from `first` to `last`, as numbers."""

    version: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many addresses it holds."""
        return self.last - self.first + 1

    def holds(self, address: str) -> bool:
        """Whether an address lies in it."""
        parsed = parse_address(address)
        return parsed is not None and parsed.version == self.version and self.first <= int(parsed) <= self.last

    def overlaps(self, other: Range) -> bool:
        """Whether both hold an address."""
        return self.version == other.version and self.first <= other.last and other.first <= self.last


@lru_cache(maxsize=4096)
def parse_range(text: str) -> Range | None:
    """`10.0.0.0/28`, `10.0.0.1-10.0.0.9`, `10.0.0.1-9` or `10.0.0.1`; None for anything else."""
    text = text.strip()
    first, dash, last = (part.strip() for part in text.partition("-"))
    if dash:
        if last.isdecimal() and "." in first:
            last = f"{first.rpartition('.')[0]}.{last}"
        low, high = parse_address(first), parse_address(last)
        if low is None or high is None or low.version != high.version or int(low) > int(high):
            return None
        return Range(low.version, int(low), int(high))
    prefix = parse_prefix(text)
    if prefix is None:
        return None
    return Range(prefix.version, int(prefix.network_address), int(prefix.broadcast_address))


def ranges_of(texts: tuple[str, ...]) -> tuple[Range, ...]:
    """The ranges in `texts`, several in one text separated by commas; what is none is left out."""
    found = (parse_range(part) for text in texts for part in text.split(","))
    return tuple(r for r in found if r is not None)
