from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.readers.goldens import ROOT, capture_of, cases, encode, misplaced, read


@pytest.mark.parametrize("path", cases(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_reader_says_what_its_golden_says(path: Path, accept: bool) -> None:  # noqa: FBT001 - a fixture
    capture = capture_of(path)
    reading = read(path.parent.name, capture)
    golden = path.with_suffix(".json")
    if accept:
        golden.write_text(encode(reading), encoding="utf-8")
    assert golden.exists(), f"{golden} is missing: look at `pytest --accept`"
    assert msgspec.json.decode(encode(reading)) == msgspec.json.decode(golden.read_bytes())


@pytest.mark.parametrize("path", cases(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_capture_cut_at_any_line_is_read_without_an_error(path: Path) -> None:
    whole = capture_of(path)
    for length in range(len(whole.lines)):
        capture = msgspec.structs.replace(whole, lines=whole.lines[:length])
        reading = read(path.parent.name, capture)
        assert not misplaced(reading, capture)
        for fact in reading.facts:
            assert whole.first <= fact.origin.first <= fact.origin.last < whole.first + max(length, 1)


def test_every_golden_has_its_capture() -> None:
    assert [path for path in ROOT.glob("*/*.json") if not path.with_suffix(".txt").exists()] == []
