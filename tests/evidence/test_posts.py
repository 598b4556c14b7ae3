"""Whole posts in the shapes that forums, issue trackers and mail give them: what was cut, asked for and left.

`pytest --accept` rewrites the expectations; read the difference before committing it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence

POSTS = Path(__file__).parent / "posts"


def summary(name: str) -> dict[str, list[str]]:
    found = read_evidence([Document(name, (POSTS / name).read_bytes())])
    return {
        "captures": [
            f"{capture.origin().label()} | {capture.host or '?'} | {capture.command or '?'}"
            for capture in found.captures
        ],
        "understood": [f"{passage.origin.label()} | {passage.text}" for passage in found.understood],
        "wanted": list(found.wanted),
        "unread": [f"{passage.origin.label()} | {passage.text.splitlines()[0]}" for passage in found.unread],
    }


@pytest.mark.parametrize("name", sorted(path.name for path in POSTS.glob("*.txt")))
def test_posts(name: str, accept: bool) -> None:  # noqa: FBT001 - a fixture
    expected = (POSTS / name).with_suffix(".json")
    found = summary(name)
    if accept:
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(expected.read_text(encoding="utf-8"))
