"""`kubereach diagnose --interactive`: questions on the terminal until the cause is clear.

The dialogue goes to standard error and the report to standard output, so that the report can be kept by itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import Enum

from msgspec import Struct

from kubereach.advise import interview
from kubereach.advise.collect import Item
from kubereach.cli.output import tell
from kubereach.errors import KubereachError, UsageError
from kubereach.evidence.document import Document
from kubereach.model.diagnosis import Diagnosis
from kubereach.report import interview as says

Diagnose = Callable[[list[Document]], Diagnosis]
Load = Callable[[str], tuple[Document, ...]]

_DOT = b"."
_LONGEST = 64 << 20  # bytes of one paste
_TERMINAL_CUTS = 4095  # bytes of a line that a terminal hands over (Linux N_TTY in canonical mode)


class Told(Enum):
    """What the user did."""

    PASTED = "pasted"
    SKIP = "skip"
    FILE = "file"
    QUIT = "quit"


class Reply(Struct, frozen=True):
    """A reply; `text` is the paste, or the file's name."""

    told: Told
    text: bytes = b""


def require_terminal() -> None:
    """Raises UsageError where nobody can answer."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            "--interactive asks on the terminal, and standard input is none",
            "run it in a terminal with the evidence as PATH, or let `kubereach next PATH` list the questions",
        )


def beginning() -> Document:
    """What the user pastes at the start. Raises UsageError when that is nothing."""
    tell(says.start())
    reply = _reply()
    if reply.told is not Told.PASTED or not reply.text.strip():
        raise UsageError("nothing was pasted", "paste commands with their outputs, or give a PATH")
    return Document("pasted.txt", reply.text)


def interviewed(documents: list[Document], diagnose: Diagnose, load: Load) -> Diagnosis:
    """Ask until the cause is clear, nothing worth asking is left, or the user quits; the last diagnosis."""
    diagnosis = diagnose(documents)
    tell(says.state(diagnosis))
    done: list[Item] = []
    skipped: list[Item] = []
    number = 0
    while not interview.is_clear(diagnosis):
        item = interview.next_item(diagnosis, done, skipped)
        if item is None:
            tell(says.note("Nothing that is worth asking is left."))
            return diagnosis
        number += 1
        tell(says.question(number, item))
        added, quits = _answered(item, documents, load)
        done.append(item)
        if not added:
            skipped.append(item)
        else:
            documents = [*documents, *added]
            after = diagnose(documents)
            tell(says.changed(diagnosis, after, interview.moves(diagnosis, after)))
            diagnosis = after
        if quits:
            return diagnosis
        if added:
            tell(says.state(diagnosis))
    tell(says.note("That is clear enough."))
    return diagnosis


def _answered(item: Item, documents: list[Document], load: Load) -> tuple[list[Document], bool]:
    """The documents that the answer to `item` became, none for a skipped question; and whether the user quits.

    What cannot be read is kept among them, so that the report lists it, and asked for again.
    """
    kept: list[Document] = []
    while True:
        reply = _reply()
        if reply.told in {Told.QUIT, Told.SKIP}:
            return kept, reply.told is Told.QUIT
        pastes = [reply.text] if reply.told is Told.PASTED else _loaded(reply.text, load)
        if not any(paste.strip() for paste in pastes):
            tell(says.note("Nothing was pasted. Paste the output, or type skip or quit."))
            continue
        if reply.told is Told.PASTED and any(len(line) >= _TERMINAL_CUTS for line in reply.text.splitlines()):
            tell(says.note("A terminal cuts lines at 4,095 bytes; with longer ones, answer `file NAME` instead."))
        found = [interview.as_document(_name(documents, kept, i), item, paste) for i, paste in enumerate(pastes)]
        kept += [answer.document for answer in found]
        for answer in found:
            tell(says.read(answer))
        if any(answer.facts for answer in found):
            return kept, False


def _name(documents: list[Document], kept: list[Document], further: int) -> str:
    """`answer-1.txt`, with the first number from there on that no document has."""
    taken = {document.name for document in (*documents, *kept)}
    free = (n for n in range(1, len(taken) + further + 2) if f"answer-{n}.txt" not in taken)
    return f"answer-{[next(free) for _ in range(further + 1)][-1]}.txt"


def _loaded(name: bytes, load: Load) -> list[bytes]:
    try:
        return [document.data for document in load(name.decode(errors="surrogateescape"))]
    except KubereachError as error:
        tell(says.note(f"{error.message}."))
        return []


def _reply() -> Reply:
    """Read one reply: a word of the dialogue on its first line, or a paste to its end."""
    lines: list[bytes] = []
    size = 0
    while size < _LONGEST:
        line = sys.stdin.buffer.readline(1 << 20)
        if not line:  # Ctrl-D
            return Reply(Told.PASTED, b"".join(lines)) if lines else Reply(Told.QUIT)
        word = line.strip()
        if not lines and word.lower() in {b"skip", b"quit"}:
            return Reply(Told(word.decode().lower()))
        if not lines and word.startswith(b"file ") and len(word.split()) == 2:
            return Reply(Told.FILE, word.split()[1])
        if word == _DOT:
            break
        size += len(line)
        lines.append(line)
    return Reply(Told.PASTED, b"".join(lines))
