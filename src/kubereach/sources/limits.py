"""How much is read of what, and what is no text at all."""

from __future__ import annotations

from msgspec import Struct

from kubereach.evidence.pcap import is_pcap


class Limits(Struct, frozen=True):
    """Bounds in bytes, on the number of members, and on how many times its packed size a member may grow to."""

    member: int = 64 << 20
    total: int = 256 << 20
    members: int = 5000
    ratio: int = 200
    ratio_free: int = 1 << 20  # below this size, any ratio is harmless: logs pack well


DEFAULT = Limits()


class Skipped(Struct, frozen=True):
    """A part of the input that was not read, and why."""

    name: str
    why: str


class Taken(Struct, frozen=True):
    """The bytes of a part of the input that was read."""

    name: str
    data: bytes


_MAGIC = (
    (b"\x89PNG\r\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"),
    (b"PK\x03\x04", "an archive inside the input"),
    (b"\x1f\x8b", "a compressed file"),
    (b"%PDF", "a PDF: paste its text"),
)


def binary_kind(data: bytes) -> str:
    """What `data` is when it is no text, else "". Zero bytes everywhere but in UTF-16 mean binary."""
    if is_pcap(data):
        return ""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    sample = data[:8192]
    if b"\0" not in sample or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ""
    half = max(len(sample) // 2, 1)
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    wide = max(even, odd) > half * 0.4 and min(even, odd) < half * 0.1
    return "" if wide or sample.count(0) * 100 < len(sample) else "no text"
