"""Capture: the text that one command printed (or that merely looks as if one had), with its place."""

from __future__ import annotations

from msgspec import Struct

from kubereach.model.fact import Trust
from kubereach.model.origin import Origin


class Capture(Struct, frozen=True, kw_only=True):
    """The output of one command.

    `lines[i]` stands in line `first + i` of `source`. `command` is the innermost command with its wrappers taken off
    (`sudo`, `watch`, `ssh HOST`, `kubectl exec … --`), "" when the paste shows none; `typed` is the line as typed.
    `host` is the vantage: `node/NAME`, `pod/NAME`, `router`, `client`, a bare host name, or "" for unknown.
    """

    source: str
    lines: tuple[str, ...]
    first: int = 1
    command: str = ""
    typed: str = ""
    host: str = ""
    taken: str = ""
    trust: Trust = Trust.OUTPUT

    def origin(self, start: int = 0, end: int | None = None) -> Origin:
        """The origin of `lines[start:end]` (end exclusive; None for all that follow)."""
        stop = len(self.lines) if end is None else end
        return Origin(
            source=self.source,
            first=self.first + start,
            last=self.first + max(stop - 1, start),
            command=self.typed or self.command,
            host=self.host,
        )
