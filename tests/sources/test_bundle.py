from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from kubereach.errors import UnreadableError, UsageError
from kubereach.sources.bundle import load, load_bundle
from kubereach.sources.limits import Limits

SMALL = Limits(member=10_000, total=30_000, members=20, ratio=20, ratio_free=12_000)
STDIN = io.BytesIO()
DAMAGED = [b"", b"no archive", b"PK\x03\x04torn", b"\x1f\x8b\x08\x00torn", b"\x1f\x8b" + bytes(600)]


def reasons(*paths: Path, limits: Limits = SMALL) -> dict[str, str]:
    return {part.name: part.why for part in load_bundle([str(path) for path in paths], STDIN, limits).skipped}


def names(*paths: Path, limits: Limits = SMALL) -> list[str]:
    return [document.name for document in load([str(path) for path in paths], STDIN, limits)]


def make_zip(place: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return place


def make_tar(place: Path, files: dict[str, bytes], links: tuple[tuple[str, str, bytes], ...] = ()) -> Path:
    with tarfile.open(place, "w:gz" if place.name.endswith("gz") else "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target, kind in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    return place


def test_a_file_has_its_bare_name(tmp_path: Path) -> None:
    (tmp_path / "post.txt").write_bytes(b"hello\n")
    assert names(tmp_path / "post.txt") == ["post.txt"]


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "post.txt").write_bytes(b"hello\n")
    found = names(tmp_path / "a" / "post.txt", tmp_path / "b" / "post.txt")
    assert len(set(found)) == 2


def test_standard_input() -> None:
    documents = load(["-"], io.BytesIO(b"$ ip route\n"))
    assert [(document.name, document.data) for document in documents] == [("stdin", b"$ ip route\n")]


def test_no_standard_input_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        load(["-"], None)


def test_a_path_that_is_not_there_says_so() -> None:
    with pytest.raises(UsageError, match="no such file") as caught:
        load(["/nowhere/at/all.txt"], STDIN)
    assert caught.value.hint


@pytest.mark.parametrize("path", ["\0", "x" * 5000])
def test_an_impossible_path_is_no_traceback(path: str) -> None:
    with pytest.raises((UsageError, UnreadableError)):
        load([path], STDIN)


def test_a_folder_is_read_in_order_and_says_what_it_passed_over(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_bytes(b"x")
    (tmp_path / "b.txt").write_bytes(b"b")
    (tmp_path / "sub" / "a.txt").write_bytes(b"a")
    (tmp_path / ".hidden").write_bytes(b"h")
    (tmp_path / "trace.pcap").write_bytes(b"\xd4\xc3\xb2\xa1" + bytes(40))
    (tmp_path / "old.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "link.txt").symlink_to("/etc/passwd")
    (tmp_path / "tool").write_bytes(b"\x7fELF" + bytes(40))
    assert names(tmp_path) == ["b.txt", "trace.pcap", "sub/a.txt"]
    why = reasons(tmp_path)
    assert set(why) == {".git", ".hidden", "tool", "old.zip", "link.txt"}
    assert why["tool"] == "a program"


def test_a_link_loop_ends(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.txt").symlink_to(tmp_path / "self.txt")
    assert names(tmp_path) == []
    assert set(reasons(tmp_path)) == {"loop", "self.txt"}


def test_a_huge_file_is_read_up_to_a_line_end_and_reported(tmp_path: Path) -> None:
    place = tmp_path / "log.txt"
    place.write_bytes(b"0123456\n" * 5_000)
    (document,) = load([str(place)], STDIN, SMALL)
    assert 9_000 < len(document.data) <= 10_000
    assert document.data.endswith(b"\n")
    assert "first" in reasons(place)["log.txt"]


def test_utf16_is_text_and_noise_is_not(tmp_path: Path) -> None:
    (tmp_path / "wide.txt").write_bytes("$ ipconfig\r\nWindows IP\r\n".encode("utf-16"))
    (tmp_path / "wide-no-mark.txt").write_bytes("$ ipconfig\r\nWindows IP\r\n".encode("utf-16-le"))
    (tmp_path / "noise.txt").write_bytes(bytes(range(256)) * 8 + bytes(100))
    assert names(tmp_path) == ["wide-no-mark.txt", "wide.txt"]
    assert "noise.txt" in reasons(tmp_path)


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz", "tgz"])
def test_archives(tmp_path: Path, ending: str) -> None:
    files = {"b/ip-route.node-1.txt": b"default via 10.0.0.1\n", "a.txt": b"a\n", "inner.zip": b"PK\x03\x04"}
    place = tmp_path / f"bundle.{ending}"
    make_zip(place, files) if ending == "zip" else make_tar(place, files)
    assert names(place) == ["a.txt", "b/ip-route.node-1.txt"]
    assert "archive inside" in reasons(place)["inner.zip"]


@pytest.mark.parametrize("name", ["../up.txt", "/etc/passwd", "a/../../up.txt", "C:\\x.txt", "..\\up.txt"])
@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str, ending: str) -> None:
    place = tmp_path / f"x.{ending}"
    make_zip(place, {name: b"x"}) if ending == "zip" else make_tar(place, {name: b"x"})
    assert names(place) == []
    assert len(reasons(place)) == 1
    assert not (tmp_path / "up.txt").exists()


def test_links_in_archives_are_refused(tmp_path: Path) -> None:
    soft = ("l.txt", "/etc/passwd", tarfile.SYMTYPE)
    links = (soft, ("h.txt", "ok.txt", tarfile.LNKTYPE), ("p", "", tarfile.FIFOTYPE))
    place = make_tar(tmp_path / "x.tar", {"ok.txt": b"ok"}, links)
    assert names(place) == ["ok.txt"]
    assert set(reasons(place)) == {"l.txt", "h.txt", "p"}
    linked = zipfile.ZipInfo("l.txt")
    linked.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(linked, "/etc/passwd")
    assert reasons(tmp_path / "x.zip") == {"l.txt": "a link"}


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_bombs_are_left(tmp_path: Path, ending: str) -> None:
    place = tmp_path / f"bomb.{ending}"
    files = {"a.txt": b"a\n", "zeros.txt": b"0" * 3_000_000}
    make_zip(place, files) if ending == "zip" else make_tar(place, files)
    assert names(place) == ["a.txt"]
    assert reasons(place)


def test_too_many_members(tmp_path: Path) -> None:
    place = make_zip(tmp_path / "many.zip", {f"{i:03}.txt": b"x" for i in range(50)})
    assert len(names(place)) == 20
    assert "many.zip" in reasons(place)


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz", "tgz"])
@pytest.mark.parametrize("data", DAMAGED)
def test_a_damaged_archive_is_unreadable(tmp_path: Path, ending: str, data: bytes) -> None:
    place = tmp_path / f"x.{ending}"
    place.write_bytes(data)
    with pytest.raises(UnreadableError) as caught:
        load([str(place)], STDIN)
    assert caught.value.hint


def test_a_truncated_archive(tmp_path: Path) -> None:
    whole = make_tar(tmp_path / "x.tar.gz", {"a.txt": bytes(range(256)) * 20}).read_bytes()
    (tmp_path / "x.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableError):
        load([str(tmp_path / "x.tar.gz")], STDIN)
