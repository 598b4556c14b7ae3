"""`diagnose --interactive` as its user meets it: at a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.founding_answers import someone_with_access
from tests.cli.running import assert_two_lines, run
from tests.cli.terminal import Session

FOUNDING = Path(__file__).parents[2] / "examples" / "founding-case"
BUNDLE = FOUNDING / "bundle"


@pytest.fixture
def first_three() -> str:
    """What was posted first: nmap, curl and ping."""
    return str(FOUNDING / "first.txt")


def _report(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text[text.index('{\n  "schema"') :])
    return found


def test_the_founding_case_is_asked_down_to_its_cause(first_three: str) -> None:
    session = Session("diagnose", "--interactive", "first.txt", "-o", "json", cwd=FOUNDING)
    session.answer(someone_with_access)
    assert session.status == 1
    assert "That is clear enough." in session.text
    assert re.search(r"[2345]\d% → <?\d% the agent that should announce", session.text)
    cause = _report(session.text)["causes"][0]
    assert (cause["code"], cause["subject"]) == ("bgp-session-blocked", "node/atlas-w1")
    assert cause["probability"] >= 0.9
    assert any(b["origin"].startswith("answer-") for b in cause["because"])
    assert len(session.asked) == len(set(session.asked)) <= 7, "nothing is asked twice"


def test_skipping_is_no_answer(first_three: str) -> None:
    session = Session("diagnose", "-i", first_three, "-o", "json")
    session.answer(lambda _where, _command: "skip\n")
    plain = json.loads(run("diagnose", first_three, "-o", "json").stdout)
    assert "Nothing that is worth asking is left." in session.text
    assert len(session.asked) > 4
    assert _report(session.text) == plain


def test_what_cannot_be_read_is_said_and_kept(first_three: str) -> None:
    replies = iter(["no idea what that means\n\x04", "\n.\n", "quit\n"])
    session = Session("diagnose", "-i", first_three, "-o", "json")
    session.wait_for("quit (the")
    for said in ("Nothing in it could be read.", "Nothing was pasted.", '"unread"'):
        session.type(next(replies))
        session.wait_for(said)
    session.close()
    assert session.status == 1
    assert [s for s in _report(session.text)["unread"] if s["origin"].startswith("answer-1.txt")]


def test_an_answer_may_be_in_a_file(first_three: str) -> None:
    session = Session("diagnose", "-i", first_three, "-q")
    session.wait_for("quit (the")
    session.type("file /nonexistent\n")
    session.wait_for("Nothing was pasted.")
    session.type(f"file {BUNDLE / 'kubectl-describe-service-storefront.txt'}\n")
    session.wait_for("Question 2")
    session.type("quit\n")
    session.close()
    assert "(service default/storefront)" in session.text


def test_without_a_path_it_begins_with_a_paste() -> None:
    session = Session("diagnose", "--interactive", "-q")
    session.wait_for("Paste what you have")
    session.type("$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 ms\n.\n")
    session.wait_for("Question 1")
    session.type("\x04")
    session.close()
    assert session.status in {1, 3}
    assert "203.0.113.9" in session.text


def test_ctrl_c_ends_it_without_a_traceback(first_three: str) -> None:
    session = Session("diagnose", "-i", first_three)
    session.wait_for("Question 1")
    session.type("half an ans\x03")
    session.close()
    assert session.status == 130
    assert "Traceback" not in session.text


def test_without_a_terminal_it_says_what_to_do(first_three: str) -> None:
    for words in ((first_three,), ()):
        done = run("diagnose", "--interactive", *words, stdin="skip\n")
        assert done.returncode == 2
        assert_two_lines(done)
        assert "kubereach next" in done.stderr
