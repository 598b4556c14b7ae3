"""A reader's golden cases: `<reader>/<case>.txt` holds the capture, `<case>.json` what the reader must say about it.

The first line of the capture is `$ COMMAND` (or `$` alone), the second may be `@host NAME`; the rest is the output.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

import msgspec

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Reading

ROOT = Path(__file__).parent


def cases(*readers: str) -> list[Path]:
    """The captures of the named readers, or of all."""
    found = sorted(ROOT.glob("*/*.txt"))
    return [path for path in found if not readers or path.parent.name in readers]


@cache
def capture_of(path: Path) -> Capture:
    """The capture in a case file; its lines are numbered as the file's own."""
    text = path.read_text(encoding="utf-8").removesuffix("\n")
    first, *lines = text.split("\n")
    assert first.startswith("$"), f"{path}: the first line must be `$ COMMAND`"
    host = ""
    start = 2
    if lines and lines[0].startswith("@host "):
        host = lines.pop(0).removeprefix("@host ").strip()
        start = 3
    command = first[1:].strip()
    return Capture(source=path.name, lines=tuple(lines), first=start, command=command, typed=command, host=host)


def read(reader: str, capture: Capture) -> Reading:
    """What the reader module of that name says about `capture`."""
    reading = import_module(f"kubereach.evidence.readers.{reader}").read(capture)
    assert isinstance(reading, Reading)
    return reading


def encode(reading: Reading) -> str:
    """A reading as the golden's JSON: one fact a line and no defaults, so that a change reads as a change of lines."""
    facts = [msgspec.json.encode(_without_defaults(fact)).decode() for fact in reading.facts]
    unread = msgspec.json.encode([list(span) for span in reading.unread]).decode()
    body = ",".join(f"\n  {fact}" for fact in facts)
    return f'{{"facts": [{body}\n], "unread": {unread}}}\n'


def _without_defaults(struct: msgspec.Struct) -> dict[str, object]:
    builtins = msgspec.to_builtins(struct)
    assert isinstance(builtins, dict)
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if isinstance(value, msgspec.Struct):
            builtins[field.encode_name] = _without_defaults(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
            builtins[field.encode_name] = [_without_defaults(item) for item in value]
        elif type(value) is type(field.default) and value == field.default:
            del builtins[field.encode_name]
    return builtins


def misplaced(reading: Reading, capture: Capture) -> list[tuple[int, int]]:
    """Unread ranges that are empty, out of bounds, out of order or overlapping."""
    wrong, behind = [], 0
    for start, end in reading.unread:
        if not behind <= start < end <= len(capture.lines):
            wrong.append((start, end))
        behind = end
    return wrong
