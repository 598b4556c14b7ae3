"""Text files, folders, archives and standard input as documents: the only place where saved evidence is opened.

Nothing is ever written: archives are read member by member in memory, within bounds. What is passed over is returned
as data, with the reason, so that a report can say so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from kubereach.errors import UnreadableError, UsageError
from kubereach.evidence.document import Document
from kubereach.sources.archive import ARCHIVES, members
from kubereach.sources.limits import DEFAULT, Limits, Skipped, Taken, binary_kind


class Bundle(Struct, frozen=True):
    """The documents of an input, in a stable order, and what of it was not read."""

    documents: tuple[Document, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def load(paths: Sequence[str], stdin: BinaryIO | None, limits: Limits = DEFAULT) -> tuple[Document, ...]:
    """The documents at `paths` (`-` for `stdin`). Raises UsageError for a path that is not there."""
    return load_bundle(paths, stdin, limits).documents


def load_bundle(paths: Sequence[str], stdin: BinaryIO | None, limits: Limits = DEFAULT) -> Bundle:
    """As `load`, with what was passed over."""
    documents: list[Document] = []
    skipped: list[Skipped] = []
    budget = limits.total
    names: set[str] = set()
    for path in dict.fromkeys(paths):
        for found in _open(path, stdin, limits):
            if isinstance(found, Skipped):
                skipped.append(found)
                continue
            if len(found.data) > budget:
                skipped.append(Skipped(found.name, f"the input is larger than {limits.total >> 20} MiB in all"))
                continue
            budget -= len(found.data)
            documents.append(Document(_unused(found.name, path, names), found.data))
    return Bundle(tuple(documents), tuple(skipped))


def _unused(name: str, path: str, names: set[str]) -> str:
    """`name`, with the path as typed before it where two inputs share a name."""
    if name in names:
        name = path if path.endswith(name) else f"{path.rstrip('/')}/{name}"
    names.add(name)
    return name


def _open(path: str, stdin: BinaryIO | None, limits: Limits) -> Iterator[Taken | Skipped]:
    if path == "-":
        if stdin is None:
            raise UsageError("There is no standard input.", "Save the text to a file and give its path.")
        yield from _head("stdin", stdin, limits)
        return
    place = Path(path)
    try:
        if place.is_dir():
            yield from _folder(place, limits)
        elif not place.exists():
            hint = "Give a text file, a folder, an archive, or - for standard input."
            raise UsageError(f"{path}: no such file or folder.", hint)
        elif not place.is_file():
            raise UsageError(f"{path} is neither a file nor a folder.", "Pipe its content in and give - as the path.")
        elif place.name.lower().endswith(ARCHIVES):
            yield from members(place, limits)
        else:
            with place.open("rb") as file:
                yield from _head(place.name, file, limits)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name cannot be used"
        hint = "Check its permissions, or paste the text."
        raise UnreadableError(f"{path!r} cannot be read: {reason}.", hint) from error


def _head(name: str, file: BinaryIO, limits: Limits) -> Iterator[Taken | Skipped]:
    """What fits of one text; the rest is reported."""
    data = file.read(limits.member + 1)
    if len(data) > limits.member:
        yield Skipped(name, f"only the first {limits.member >> 20} MiB were read")
        data = data[: limits.member]
        data = data[: data.rfind(b"\n") + 1] or data
    yield Taken(name, data)


def _folder(root: Path, limits: Limits) -> Iterator[Taken | Skipped]:
    """The files below `root` by name. Hidden ones, links, archives and binaries are passed over."""
    count = 0
    for folder, folders, files in os.walk(root, followlinks=False):
        for name in sorted(folders):
            if name.startswith(".") or (Path(folder) / name).is_symlink():
                why = "a hidden folder" if name.startswith(".") else "a link"
                yield Skipped(_relative(Path(folder) / name, root), why)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            count += 1
            if count > limits.members:
                yield Skipped(_relative(Path(folder), root), f"the folder holds more than {limits.members} files")
                return
            yield from _member(Path(folder) / name, root, limits)


def _relative(place: Path, root: Path) -> str:
    return place.relative_to(root).as_posix()


def _member(place: Path, root: Path, limits: Limits) -> Iterator[Taken | Skipped]:
    name = _relative(place, root)
    why = ""
    if place.name.startswith("."):
        why = "a hidden file"
    elif place.is_symlink():
        why = "a link"
    elif not place.is_file():
        why = "no regular file"
    elif place.name.lower().endswith(ARCHIVES):
        why = "an archive inside a folder: give it as a path of its own"
    if why:
        yield Skipped(name, why)
        return
    try:
        with place.open("rb") as file:
            found = list(_head(name, file, limits))
    except OSError as error:
        yield Skipped(name, f"cannot be read: {error.strerror}")
        return
    kind = next((binary_kind(item.data) for item in found if isinstance(item, Taken)), "")
    yield from [Skipped(name, kind)] if kind and kind != "a picture" else found
