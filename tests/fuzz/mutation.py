"""Inputs that almost fit: the lines of goldens, damaged as files, terminals, forums and attackers damage them."""

from __future__ import annotations

from random import Random

# What expressions may choke on: separators, long runs, numbers out of range, controls, other scripts, half escapes.
PIECES = (
    " ", "  ", "\t", "\0", "\x1b[31m", "-", ":", "::", ".", "/", "|", "(", ")", "[", "]", "{", "}", "<", ">", "=", ",",
    '"', "'", "\\", "%", "#", "*", "&", "~", "0", "-1", "65536", "4294967296", "9" * 40, "255.255.255.255/33",
    "10.0.0", "0.0.0.0/0", "::1", "fe80::1%eth0", "ff:ff:ff:ff:ff:ff", "via", "dev", "Name:", "- ", "apiVersion: v1",
    "null", "é", "ワ", "\ud7ff", "\u202e", "\ufeff", "a" * 300, " " * 300, "1." * 200, "(" * 200, "x=" * 150,
)  # fmt: skip
MOST_LINES = 60


def mutated(random: Random, lines: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """`lines` after one to four damages; `others` are lines of other captures."""
    found = list(lines[:MOST_LINES])
    for _ in range(random.randint(1, 4)):
        _damage(random, found, others)
    return tuple(found[: 2 * MOST_LINES])


def _damage(random: Random, lines: list[str], others: tuple[str, ...]) -> None:
    kind = random.randrange(10)
    place = random.randrange(len(lines)) if lines else -1
    if place < 0 or kind == 0:
        lines.insert(max(place, 0), random.choice(others))
    elif kind == 1:
        del lines[place : place + random.randint(1, 4)]
    elif kind == 2:
        del lines[place:]
    elif kind == 3:
        other = random.randrange(len(lines))
        lines[place], lines[other] = lines[other], lines[place]
    elif kind == 4:
        lines[place : place + 1] = [lines[place]] * random.randint(2, 3)
    elif kind == 5:
        lines[place] = " " * random.randrange(12) + lines[place].lstrip()
    else:
        lines[place] = _line(random, lines[place], kind, others)


def _line(random: Random, line: str, kind: int, others: tuple[str, ...]) -> str:
    start = random.randrange(len(line) + 1)
    if kind == 6:
        return line[:start]
    if kind == 7:
        return line[:start] + random.choice(PIECES) + line[start:]
    if kind == 8:
        return line[:start] + random.choice(PIECES) + line[start + random.randint(1, 12) :]
    words = random.choice(others).split()
    return f"{line[:start]}{random.choice(words) if words else ''}{line[start + random.randint(0, 9) :]}"
