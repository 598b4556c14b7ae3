"""Document: one piece of input, whole and undecoded."""

from __future__ import annotations

from msgspec import Struct


class Document(Struct, frozen=True):
    """The bytes of one file, archive member or standard input, under the name that origins show."""

    name: str
    data: bytes
