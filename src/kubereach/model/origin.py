"""Where a piece of evidence comes from: every claim of a report points at one of these."""

from __future__ import annotations

from msgspec import Struct


class Origin(Struct, frozen=True):
    """Lines `first` to `last` (1-based, inclusive; 0 when the whole source is meant) of `source`.

    `command` is the command that printed them and `host` the vantage it ran at, both empty when unknown.
    """

    source: str
    first: int = 0
    last: int = 0
    command: str = ""
    host: str = ""

    def label(self) -> str:
        """`post.txt:118-124`, `post.txt:7`, or the bare source."""
        if not self.first:
            return self.source
        if self.last <= self.first:
            return f"{self.source}:{self.first}"
        return f"{self.source}:{self.first}-{self.last}"
