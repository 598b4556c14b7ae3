"""Which reader: by command, or by the look of a line; readers are imported when they match and not before.

Regular expressions cost more to compile than to run. The index names for each a piece of text that it cannot match
without, and only the expressions whose piece occurs in the document are compiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import import_module

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Reading

_LOOKED_AT = 2000  # characters of a line that signatures see


@lru_cache(maxsize=1)
def index() -> tuple[tuple[str, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]], ...]:
    """The rows of the generated index: (module, commands, signatures)."""
    from kubereach.evidence.readers._index import READERS

    return READERS


def by_command(command: str) -> tuple[str, ...]:
    """The readers whose COMMANDS match, in the order of the index."""
    return _by_command(command[:1000]) if command else ()


@lru_cache(maxsize=512)
def _by_command(command: str) -> tuple[str, ...]:
    return tuple(
        name
        for name, commands, _ in index()
        if any(needs in command and re.search(pattern, command) for pattern, needs in commands)
    )


class Recogniser:
    """The signatures that can occur in one text, compiled."""

    def __init__(self, text: str) -> None:
        self._readers: list[tuple[str, re.Pattern[str], tuple[str, ...]]] = []
        self._cache: dict[str, tuple[str, ...]] = {}
        for name, _, signatures in index():
            alive = [(pattern, needs) for pattern, needs in signatures if needs in text]
            if alive:
                joined = re.compile("|".join(f"(?:{pattern})" for pattern, _ in alive))
                needed = tuple(sorted({needs for _, needs in alive}))
                self._readers.append((name, joined, () if "" in needed else needed))

    def readers(self, line: str) -> tuple[str, ...]:
        """The readers that know `line` by its look, as it stands or without its indentation."""
        line = line[:_LOOKED_AT]
        if not line or not self._readers:
            return ()
        known = self._cache.get(line)
        if known is None:
            known = self._match(line) or (self._match(line.lstrip()) if line[0] in " \t" else ())
            if len(self._cache) < 20_000:
                self._cache[line] = known
        return known

    def _match(self, line: str) -> tuple[str, ...]:
        return tuple(
            name
            for name, pattern, needed in self._readers
            if (not needed or any(piece in line for piece in needed)) and pattern.match(line)
        )


def read(name: str, capture: Capture) -> Reading:
    """What the reader `name` makes of `capture`; a reader that breaks its contract has read nothing."""
    everything = Reading(unread=((0, len(capture.lines)),))
    try:
        reading = import_module(f"kubereach.evidence.readers.{name}").read(capture)
    except Exception:  # noqa: BLE001  # one broken reader must not take the other evidence with it
        return everything
    return reading if isinstance(reading, Reading) else everything


def unread_lines(reading: Reading, lines: Sequence[str]) -> list[bool]:
    """For each line of the capture: whether the reader left it. Blank lines are never left."""
    left = [False] * len(lines)
    for start, end in reading.unread:
        for place in range(max(start, 0), min(end, len(lines))):
            left[place] = bool(lines[place])
    return left


def runs(left: Iterable[bool]) -> list[tuple[int, int]]:
    """Half-open ranges of consecutive True."""
    found: list[tuple[int, int]] = []
    start = -1
    place = -1
    for place, value in enumerate(left):
        if value and start < 0:
            start = place
        elif not value and start >= 0:
            found.append((start, place))
            start = -1
    if start >= 0:
        found.append((start, place + 1))
    return found
