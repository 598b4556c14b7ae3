"""Where a report goes: standard output, its encoding, its width, and whether it wants colour."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubereach.report.blocks import Document

_WIDEST = 120  # longer lines are hard to read
_UNKNOWN_WIDTH = 80


def write(text: str, encoding: str | None = None) -> None:
    """Write `text` to standard output, as UTF-8 where the form demands it, and never fail on a character."""
    stream = sys.stdout
    if stream is None:  # closed by the caller (`>&-`): there is nobody to tell
        return
    stream.flush()
    stream.buffer.write(text.encode(encoding or output_encoding(), "backslashreplace"))
    stream.flush()


def write_document(document: Document, form: str) -> None:
    """Write a report's document in the form `text`, `markdown` or `html`."""
    if form == "markdown":
        from kubereach.report import markdown

        write(markdown.render(document), "utf-8")
    elif form == "html":
        from kubereach.report import htmlform

        write(htmlform.render(document), "utf-8")
    else:
        from kubereach.report import text

        write(text.render(document, output_width(), colour=wants_colour(), encoding=output_encoding()))


def tell(document: Document) -> None:
    """Write a document to standard error, where a dialogue goes; a blank line sets it apart."""
    if sys.stderr is None:
        return
    from kubereach.report import text

    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    colour = sys.stderr.isatty() and _may_colour()
    sys.stderr.write(text.render(document, output_width(), colour=colour, encoding=encoding) + "\n")
    sys.stderr.flush()


def output_encoding() -> str:
    """The encoding of standard output."""
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def output_width() -> int:
    """Columns to fill: COLUMNS when set, else the terminal's, else 80; 120 at most."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return min(int(given), _WIDEST)
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (AttributeError, OSError, ValueError):
        columns = 0
    return min(columns or _UNKNOWN_WIDTH, _WIDEST)


def wants_colour() -> bool:
    """Colour only on a terminal that can show it, and never when NO_COLOR (no-color.org) is set."""
    return _may_colour() and sys.stdout is not None and sys.stdout.isatty()


def _may_colour() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
