"""Holds readers to their contract: no exception, unread ranges and origins inside the capture, nothing slow."""

from __future__ import annotations

import time
from importlib import import_module
from random import Random
from zlib import crc32

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Reading
from tests.fuzz.mutation import mutated
from tests.readers.goldens import capture_of, cases, misplaced

SLOWEST = 1.0


class BrokenError(Exception):
    """A reader broke its contract."""


def check(reading: Reading, capture: Capture) -> None:
    """Raises BrokenError when `reading` is none of `capture`."""
    if not isinstance(reading, Reading):
        raise BrokenError(f"{type(reading).__name__} is no Reading")
    if misplaced(reading, capture):
        raise BrokenError("unread ranges outside of the capture, empty, or out of order")
    last = capture.first + max(len(capture.lines), 1) - 1
    for fact in reading.facts:
        if not capture.first <= fact.origin.first <= fact.origin.last <= last:
            raise BrokenError(f"origin {fact.origin.label()} outside of lines {capture.first} to {last}")


def fuzz(reader: str, inputs: int, seed: int, seconds: float = 1e9) -> tuple[int, float]:
    """How many inputs were read and the seconds that the slowest took. Raises BrokenError with the input."""
    read = import_module(f"kubereach.evidence.readers.{reader}").read
    seeds = [capture_of(path) for path in cases(reader)]
    others = tuple(dict.fromkeys(line for path in cases() for line in capture_of(path).lines))
    random = Random(crc32(reader.encode()) + seed)
    slowest, begin = 0.0, time.monotonic()
    for number in range(inputs):
        base = random.choice(seeds)
        lines = mutated(random, base.lines, others)
        command = base.command if random.random() < 0.7 else ""
        capture = Capture(source="fuzz", lines=lines, first=random.choice((1, 400)), command=command, host=base.host)
        started = time.process_time()
        try:
            check(read(capture), capture)
        except Exception as error:
            raise BrokenError(f"{reader} {type(error).__name__}: {error}\n$ {command}\n" + "\n".join(lines)) from error
        took = time.process_time() - started
        if took > SLOWEST:
            raise BrokenError(f"{reader} took {took:.1f} s\n$ {command}\n" + "\n".join(lines))
        slowest = max(slowest, took)
        if number % 1000 == 0 and time.monotonic() - begin > seconds:
            return number + 1, slowest
    return inputs, slowest
