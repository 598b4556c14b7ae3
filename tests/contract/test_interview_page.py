"""The interview in docs/interview.md is what the program asks and says; `make interview` renews it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli.founding_answers import FOUNDING, someone_with_access
from tests.cli.terminal import Session

PAGE = Path(__file__).parents[2] / "docs" / "interview.md"
_BLOCK = r"(?s)(<!-- interview:begin -->\n```console\n)(.*?)(```\n<!-- interview:end -->)"


def test_the_shown_interview_is_the_real_one(accept: bool) -> None:  # noqa: FBT001 - a fixture
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(_BLOCK, text)
    assert found is not None
    session = Session("diagnose", "--interactive", "-q", "first.txt", cwd=FOUNDING)
    session.answer(someone_with_access, seconds=120)
    said = "\n".join(line.rstrip() for line in session.text.splitlines())
    shown = f"$ kubereach diagnose --interactive -q first.txt\n{said}\n"
    if accept:
        PAGE.write_text(text[: found.start(2)] + shown + text[found.end(2) :], encoding="utf-8")
    assert accept or found[2] == shown, "docs/interview.md shows something else: run make interview"
