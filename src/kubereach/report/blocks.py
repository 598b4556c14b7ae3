"""The neutral document that every human-readable form is made from.

It knows what a piece of text is (a cause's certainty, an origin, a command), never how it looks. Text in it is
untrusted: it quotes evidence. Each form cleans it (see `clean`) and escapes it in its own way.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Tone(Enum):
    """What a span is, for the forms to show as they can."""

    PLAIN = "plain"
    STRONG = "strong"
    CODE = "code"  # a name, address or short command that must stay verbatim
    ORIGIN = "origin"  # where a piece of evidence stands
    FAINT = "faint"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"


class Span(Struct, frozen=True):
    """A run of text of one tone."""

    text: str
    tone: Tone = Tone.PLAIN


class Heading(Struct, frozen=True):
    """The title of a section."""

    spans: tuple[Span, ...]


class Paragraph(Struct, frozen=True):
    """Running text."""

    spans: tuple[Span, ...]


class Code(Struct, frozen=True):
    """Commands or quoted evidence: verbatim, never wrapped."""

    lines: tuple[str, ...]


class Items(Struct, frozen=True):
    """A list, each item of which begins with a paragraph and may hold further blocks."""

    items: tuple[tuple[Block, ...], ...]
    ordered: bool = False


class Fold(Struct, frozen=True):
    """Blocks that a form may hide behind their summary."""

    summary: tuple[Span, ...]
    blocks: tuple[Block, ...]


Block = Heading | Paragraph | Code | Items | Fold


class Document(Struct, frozen=True):
    """The verdict's line, and what follows it."""

    title: tuple[Span, ...]
    blocks: tuple[Block, ...]


def plain(text: str) -> Span:
    """Running text."""
    return Span(text)


def strong(text: str) -> Span:
    """Emphasised text."""
    return Span(text, Tone.STRONG)


def code(text: str) -> Span:
    """Verbatim text."""
    return Span(text, Tone.CODE)


def origin(text: str) -> Span:
    """Where something stands."""
    return Span(text, Tone.ORIGIN)


def faint(text: str) -> Span:
    """An aside."""
    return Span(text, Tone.FAINT)


def paragraph(*spans: Span | str) -> Paragraph:
    """A paragraph of spans; a bare string is running text."""
    return Paragraph(tuple(Span(span) if isinstance(span, str) else span for span in spans))
