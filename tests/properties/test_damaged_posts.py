"""The founding post cut, garbled or doubled: an answer or a plain refusal, never a crash, never "reachable"."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kubereach.errors import UnreadableError
from kubereach.evidence.document import Document
from kubereach.model.diagnosis import Diagnosis, Verdict
from kubereach.pipeline import Options, diagnose
from tests.properties.pasted_post import founding_post

DATA = founding_post().encode()
quick = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def _diagnosed(data: bytes) -> Diagnosis | None:
    try:
        return diagnose([Document("post.txt", data)], Options())
    except UnreadableError:
        return None


def _honest(found: Diagnosis | None) -> None:
    if found is not None:
        assert found.verdict is not Verdict.REACHABLE
        assert all(0.0 <= cause.probability <= 1.0 for cause in found.causes)


@quick
@given(end=st.integers(0, len(DATA)), start=st.integers(0, 2000))
def test_a_post_that_is_cut(end: int, start: int) -> None:
    _honest(_diagnosed(DATA[start:end]))


@quick
@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), max_size=60))
def test_a_post_with_wrong_bytes(changes: list[tuple[int, int]]) -> None:
    data = bytearray(DATA)
    for place, value in changes:
        data[place] = value
    _honest(_diagnosed(bytes(data)))


@quick
@given(st.lists(st.integers(0, len(DATA.splitlines()) - 1), max_size=40, unique=True))
def test_a_post_with_lines_left_out(gone: list[int]) -> None:
    lines = [line for number, line in enumerate(DATA.splitlines(keepends=True)) if number not in gone]
    _honest(_diagnosed(b"".join(lines)))


@pytest.mark.parametrize("ending", [b"\r\n", b"\r", b"\n\n"])
def test_other_line_endings(ending: bytes) -> None:
    found = _diagnosed(DATA.replace(b"\n", ending))
    assert found is not None
    assert found.verdict is Verdict.UNREACHABLE


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_other_encodings(encoding: str) -> None:
    found = _diagnosed(DATA.decode().encode(encoding))
    assert found is not None
    assert found.verdict is Verdict.UNREACHABLE


def test_a_post_that_is_pasted_twice() -> None:
    found = _diagnosed(DATA + b"\n" + DATA)
    assert found is not None
    assert found.verdict is Verdict.UNREACHABLE
