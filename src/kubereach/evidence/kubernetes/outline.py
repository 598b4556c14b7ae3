"""Indented `Label: value` text as a tree of entries, the form that `kubectl describe` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_LABEL = r"([A-Za-z][^:\s]{0,80}(?: [^:\s]{1,60}){0,8}):(?:\s+(\S.*)|\s*)$"


class Entry:
    """One line and what is indented below it. `label` is None for a bare line, whose text is in `value`."""

    __slots__ = ("children", "indent", "label", "line", "text", "value")

    def __init__(self, indent: int, text: str, line: int) -> None:
        match = re.match(_LABEL, text)
        self.indent = indent
        self.text = text
        self.line = line
        self.label: str | None = match[1] if match else None
        self.value: str = (match[2] or "").rstrip() if match else text
        self.children: list[Entry] = []

    def walk(self) -> Iterator[Entry]:
        """This entry and all below it, in the order of the lines."""
        stack = [self]
        while stack:
            entry = stack.pop()
            yield entry
            stack += reversed(entry.children)

    def below(self) -> Iterator[Entry]:
        """All entries below this one, in the order of the lines."""
        walker = self.walk()
        next(walker)
        return walker

    def child(self, label: str) -> Entry | None:
        """The first child of that label."""
        return next((child for child in self.children if child.label == label), None)


def outline(lines: Sequence[str], first: int = 0) -> list[Entry]:
    """The entries of `lines`, by their indentation; blank lines are skipped. Lines are numbered from `first`."""
    roots: list[Entry] = []
    open_entries: list[Entry] = []
    for index, line in enumerate(lines, start=first):
        line = line.replace("\t", "    ").rstrip()
        text = line.lstrip()
        if not text:
            continue
        entry = Entry(len(line) - len(text), text, index)
        while open_entries and open_entries[-1].indent >= entry.indent:
            open_entries.pop()
        (open_entries[-1].children if open_entries else roots).append(entry)
        open_entries.append(entry)
    return roots
