"""What a reader is: one module in evidence/readers/ that recognises and reads one format.

Its docstring has the headings `Reads`, `Ask`, `Facts` and `Not read`. It defines:

COMMANDS    tuple of regular expressions, matched (re.search) against Capture.command: the commands that print the
            format. Empty when no command does.
SIGNATURES  tuple of regular expressions, each matched (re.match) against single lines: a line that can hardly be
            anything else. Used when a paste shows no command. Keep them strict: prose in any language must not match.
ASKS        tuple of Ask: how to get the format.
read        Capture → Reading. Never raises on any text; what it cannot read it returns as unread.

The index `_index.py` of the folder repeats COMMANDS and SIGNATURES, so that a reader is imported only when it
matches; `python -m kubereach.evidence.indexing` rewrites it and a test holds it against the modules.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from kubereach.model.fact import AnyFact


class Ask(Struct, frozen=True, kw_only=True):
    """A command and the vantage it must run at: `cluster` (kubectl), `node`, `router`, `client` or `pod`.

    `privilege` is none, exec, root or router (a login there). Placeholders in capitals: ADDRESS, PORT, NODE, NAME.
    """

    command: str
    where: str
    privilege: str = "none"
    gives: str = ""


class Reading(Struct, frozen=True):
    """Facts, and the half-open ranges of line indices of the capture that could not be read.

    Blank lines and lines that carry no information (headers, banners) count as read. A reader that meets text that
    is not its format (prose after a table, the next output) leaves it unread: it is offered to the other readers.
    """

    facts: tuple[AnyFact, ...] = ()
    unread: tuple[tuple[int, int], ...] = ()


def spans(unread: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Single unread line indices, folded to half-open ranges."""
    ranges: list[tuple[int, int]] = []
    for index in sorted(set(unread)):
        if ranges and ranges[-1][1] == index:
            ranges[-1] = (ranges[-1][0], index + 1)
        else:
            ranges.append((index, index + 1))
    return tuple(ranges)
