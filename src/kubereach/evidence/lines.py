"""Lines as the table readers look at them: none so long that an expression could choke on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LONGEST = 2000  # no router, daemon or kernel prints a longer line; junk does
_JUNK = "\0"  # not blank, and matches no format


def readable(lines: Iterable[str]) -> list[str]:
    """`lines` with blank ones emptied and overlong ones replaced by something that no reader reads."""
    return [(line if len(line) <= LONGEST else _JUNK) if line and not line.isspace() else "" for line in lines]


def whole(lines: Sequence[str], unread: Iterable[int], first: int, last: int) -> bool:
    """Whether a table that starts at `first` and whose last row ends before `last` was read without a gap.

    A row that was not understood must not make a table look as if it did not hold it. So nothing between its lines,
    nor right behind them, may be unread; nor, further down, anything indented: that may be another block of it.
    """
    return not any(first <= index and (index <= last or lines[index][:1].isspace()) for index in unread)
