"""What can be read: every format with its description and the commands that print it, from the readers themselves."""

from __future__ import annotations

from importlib import import_module

from msgspec import Struct

from kubereach.evidence.reader import Ask
from kubereach.evidence.sniff import index

_HEADINGS = ("Reads", "Ask", "Facts", "Not read", "Format")


class Format(Struct, frozen=True, kw_only=True):
    """One reader as its users see it: `name` is its module, `asks` is empty for what people write themselves."""

    name: str
    title: str
    reads: str
    not_read: str = ""
    asks: tuple[Ask, ...] = ()


class Formats(Struct, frozen=True, kw_only=True):
    """What `kubereach formats -o json` prints: the contract `kubereach/formats/v1`."""

    schema: str = "kubereach/formats/v1"
    formats: tuple[Format, ...]


def formats() -> tuple[Format, ...]:
    """Every format, by name."""
    return tuple(_format(name) for name, _, _ in index())


def _format(name: str) -> Format:
    module = import_module(f"kubereach.evidence.readers.{name}")
    title, parts = sections(module.__doc__ or "")
    return Format(
        name=name, title=title, reads=parts.get("Reads", ""), not_read=parts.get("Not read", ""), asks=module.ASKS
    )


def sections(text: str) -> tuple[str, dict[str, str]]:
    """A reader's docstring: its first line, and the text below each heading, each on one line."""
    title, _, body = text.strip().partition("\n")
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in body.splitlines():
        heading, colon, rest = line.partition(":")
        if heading in _HEADINGS and (colon or heading == line):
            current = found.setdefault(heading, [])
            line = rest
        current.append(line.strip())
    return title.rstrip("."), {heading: " ".join(" ".join(lines).split()) for heading, lines in found.items()}
