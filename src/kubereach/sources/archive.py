"""The members of a .zip or .tar archive, read in memory and within bounds; nothing is extracted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from kubereach.errors import UnreadableError
from kubereach.sources.limits import Limits, Skipped, Taken, binary_kind

if TYPE_CHECKING:
    import tarfile

ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".tar.bz2")
_CHUNK = 1 << 16


def members(place: Path, limits: Limits) -> Iterator[Taken | Skipped]:
    """The texts of the archive at `place`, sorted by name. Raises UnreadableError when it is no archive."""
    found = list(_zip(place, limits) if place.name.lower().endswith(".zip") else _tar(place, limits))
    yield from sorted(found, key=lambda part: part.name)


def _damaged(place: Path, error: Exception) -> UnreadableError:
    return UnreadableError(
        f"{place.name} is no readable archive: {str(error)[:120] or type(error).__name__}.",
        "Unpack it yourself and give the folder.",
    )


def _refusal(name: str) -> str:
    """Why a member of this name is not read; "" when it may be."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or (len(name) > 1 and name[1] == ":"):
        return "its name is absolute"
    if ".." in path.parts:
        return "its name leads out of the archive"
    if any(part.startswith((".", "__MACOSX")) for part in path.parts):
        return "a hidden file"
    if name.lower().endswith((*ARCHIVES, ".7z", ".rar")):
        return "an archive inside an archive"
    return ""


def _read(packed: int, file: IO[bytes], limits: Limits) -> tuple[bytes, str]:
    """The bytes of a member as far as the bounds allow, and what was exceeded. Sizes in headers are not believed."""
    allowed = limits.member
    if packed:
        allowed = min(allowed, max(packed * limits.ratio, limits.ratio_free))
    parts: list[bytes] = []
    size = 0
    while size <= allowed and (part := file.read(min(_CHUNK, allowed + 1 - size))):
        parts.append(part)
        size += len(part)
    if size <= allowed:
        return b"".join(parts), ""
    return b"", "it unpacks to far more than its packed size" if allowed < limits.member else "it is too large"


def _keep(name: str, data: bytes, exceeded: str) -> Taken | Skipped:
    kind = exceeded or binary_kind(data)
    return Skipped(name, kind) if kind and kind != "a picture" else Taken(name, data)


def _zip(place: Path, limits: Limits) -> Iterator[Taken | Skipped]:
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(place) as archive:
            total = 0
            for count, info in enumerate(archive.infolist()):
                if count >= limits.members or total > limits.total:
                    yield Skipped(place.name, "the archive holds more than can be read; the rest was left")
                    return
                if info.is_dir():
                    continue
                link = (info.external_attr >> 16) & 0o170000 == 0o120000
                why = _refusal(info.filename) or ("a link" if link else "encrypted" if info.flag_bits & 1 else "")
                if why:
                    yield Skipped(info.filename, why)
                    continue
                with archive.open(info) as file:
                    data, exceeded = _read(info.compress_size, file, limits)
                total += len(data)
                yield _keep(info.filename, data, exceeded)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(place, error) from error


class _TooLargeError(Exception):
    """A packed archive unpacks to more than it may."""


class _Bounded:
    """A stream that ends in an error once more than `allowed` bytes were asked of it: headers lie about sizes."""

    def __init__(self, file: IO[bytes], allowed: int) -> None:
        self._file = file
        self._left = allowed

    def read(self, size: int) -> bytes:
        """Up to `size` bytes."""
        data = self._file.read(max(min(size, self._left + 1), 0))
        self._left -= len(data)
        if self._left < 0:
            raise _TooLargeError
        return data


def _unpacked(place: Path) -> IO[bytes]:
    """The tar stream inside its compression, which its first bytes tell."""
    import bz2
    import gzip
    import lzma

    with place.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(place))
    if magic.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.open(place))
    if magic.startswith(b"\xfd7zXZ"):
        return cast("IO[bytes]", lzma.open(place))
    return place.open("rb")


def _tar(place: Path, limits: Limits) -> Iterator[Taken | Skipped]:
    import lzma
    import tarfile
    import zlib

    allowed = min(limits.total, max(place.stat().st_size * limits.ratio, limits.ratio_free))
    left = Skipped(place.name, "the archive unpacks to more than can be read; the rest was left")
    try:
        with _unpacked(place) as raw:
            stream = cast("IO[bytes]", _Bounded(raw, allowed))
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for count, info in enumerate(archive):
                    if count >= limits.members:
                        yield left
                        return
                    if not info.isdir():
                        yield _tar_member(archive, info, limits)
    except _TooLargeError:
        yield left
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError) as error:
        raise _damaged(place, error) from error


def _tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo, limits: Limits) -> Taken | Skipped:
    why = _refusal(info.name) or ("" if info.isreg() else "a link or a device")
    file = None if why or info.size > limits.member else archive.extractfile(info)
    if file is None:
        return Skipped(info.name, why or "it is too large")
    return _keep(info.name, *_read(0, file, limits))
