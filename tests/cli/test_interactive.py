"""`diagnose --interactive` as its user meets it: at a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import assert_two_lines, run
from tests.cli.terminal import Session

FOUNDING = Path(__file__).parents[2] / "examples" / "founding-case"
BUNDLE = FOUNDING / "bundle"
BIRD = """\
BIRD v0.3.3+birdv1.6.8 ready.
name     proto    table    state  since       info
static1  Static   master   up     2023-05-18
kernel1  Kernel   master   up     2023-05-18
device1  Device   master   up     2023-05-18
direct1  Direct   master   up     2023-05-18
Global_10_40_7_1 BGP      master   start  2023-05-18  Active        Socket: Connection refused
"""


@pytest.fixture
def first_three(tmp_path: Path) -> str:
    """What was posted first: nmap, curl and ping."""
    text = (FOUNDING / "post.txt").read_text()
    cut = text[text.index("jana@laptop ~ % nmap") : text.index("# 10.40.7.1 = Mikrotik")]
    path = tmp_path / "post.txt"
    path.write_text(cut)
    return str(path)


def _pasted(*names: str) -> str:
    """Outputs of the example, each below a command of the user's own, and the dot."""
    commands = {name: name.removesuffix(".txt").replace("-", " ").replace(" o wide", " -o wide") for name in names}
    return "".join(f"$ {commands[n]}\n{(BUNDLE / n).read_text().rstrip()}\n\n" for n in names) + ".\n"


def _whoever_has_access(where: str, command: str) -> str:
    if "get service" in command:
        return _pasted("kubectl-describe-service-storefront.txt")
    if "get pods -A" in command:
        return _pasted("kubectl-get-pods-o-wide.txt")
    if "ippools" in command:
        return _pasted("kubectl-describe-installation.txt", "kubectl-describe-bgpconfiguration.txt")
    if "birdcl show protocols" in command and where == "node/atlas-w1":
        return BIRD + ".\n"
    return "skip\n"


def _report(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text[text.index('{\n  "schema"') :])
    return found


def test_the_founding_case_is_asked_down_to_its_cause(first_three: str) -> None:
    session = Session("diagnose", "--interactive", first_three, "-o", "json")
    session.answer(_whoever_has_access)
    assert session.status == 1
    assert "That is clear enough." in session.text
    assert re.search(r"[23]\d% → <1% the agent that should announce", session.text)
    cause = _report(session.text)["causes"][0]
    assert (cause["code"], cause["subject"]) == ("bgp-session-blocked", "node/atlas-w1")
    assert cause["probability"] >= 0.9
    assert any(b["origin"].startswith("answer-4.txt") for b in cause["because"])
    assert len(session.asked) == len(set(session.asked)) <= 16, "nothing is asked twice"


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
