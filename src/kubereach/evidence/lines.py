"""Lines as the table readers look at them: none so long that an expression could choke on it."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 2000  # no router, daemon or kernel prints a longer line; junk does
_JUNK = "\0"  # not blank, and matches no format


def readable(lines: Iterable[str]) -> list[str]:
    """`lines` with blank ones emptied and overlong ones replaced by something that no reader reads."""
    return [(line if len(line) <= LONGEST else _JUNK) if line and not line.isspace() else "" for line in lines]


def whole(unread: Iterable[int], first: int, last: int) -> bool:
    """Whether no line from `first` to `last`, the one right behind the table's last row, was left unread.

    A row that was not understood must not make a table look as if it did not hold it.
    """
    return not any(first <= index <= last for index in unread)
