"""The lab's verbs on the command line: what is wrong is said in two lines, with a next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import assert_two_lines, run


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("up", "no-such-scenario"), "founding-case"),
        (("exec", "--name", "nolab", "client", "--", "true"), "lab up"),
        (("fault", "forward-drop", "--name", "nolab"), "lab up"),
        (("repair", "forward-drop", "--name", "nolab"), "lab up"),
        (("capture", "somewhere", "--name", "nolab"), "lab up"),
        (("status", "--name", "nolab"), "lab up"),
        (("up",), "founding-case"),
        (("no-such-verb",), "--help"),
    ],
)
def test_what_is_wrong_is_said_in_two_lines(words: tuple[str, ...], named: str, tmp_path: Path) -> None:
    done = run("lab", *words)
    assert done.returncode == 2
    assert_two_lines(done)
    assert named in done.stderr.splitlines()[1]


def test_diagnose_takes_a_lab_or_a_path() -> None:
    both = run("diagnose", "--lab", "nolab", "post.txt")
    assert both.returncode == 2
    assert_two_lines(both)
    absent = run("diagnose", "--lab", "nolab")
    assert absent.returncode == 2
    assert "no lab 'nolab' is up" in absent.stderr


@pytest.mark.parametrize("verb", ["up", "status", "exec", "fault", "repair", "capture", "down"])
def test_every_verb_has_an_example(verb: str) -> None:
    shown = run("lab", verb, "--help").stdout
    assert f"kubereach lab {verb}" in shown.partition("Example")[2]


def test_down_of_nothing_is_no_failure() -> None:
    done = run("lab", "down", "--name", "nolab")
    assert (done.returncode, done.stdout) == (0, "There was no lab nolab.\n")
