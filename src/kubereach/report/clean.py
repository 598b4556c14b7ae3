"""Evidence is text from strangers: what must never reach a terminal, an issue or a page is taken out here."""

from __future__ import annotations

import re

# C0 but tab and newline, DEL and C1 (a terminal obeys both halves), bidirectional overrides and isolates (they make
# text read differently than it is), invisible marks, and lone surrogates (file names that are no UTF-8).
_FORBIDDEN = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"


def clean(text: str) -> str:
    """`text` on one line: white space runs folded to one space, control characters gone.

    Leading and trailing white space becomes one space, so that spans can be put side by side.
    """
    return re.sub(f"[{_FORBIDDEN}]", "", re.sub(r"\s+", " ", _without_sequences(text)))


def clean_lines(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Verbatim lines: white space kept, tabs as spaces, control characters gone, line ends as line ends."""
    split = [part for line in lines for part in re.split(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", line)]
    return tuple(re.sub(f"[{_FORBIDDEN}]", "", _without_sequences(line)).expandtabs(8).rstrip() for line in split)


def _without_sequences(text: str) -> str:
    """Terminal control sequences (CSI, and OSC to its end) taken out whole, so that no `[31m` is left over."""
    return re.sub(r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)", "", text)
