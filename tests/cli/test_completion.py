from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.cli.running import assert_two_lines, run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_calls_the_program_and_its_shell_takes_it(shell: str) -> None:
    done = run("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_KUBEREACH_COMPLETE=" in done.stdout
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    assert subprocess.run([program, "-n"], input=done.stdout, text=True, check=False, timeout=30).returncode == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("kubereach col", "collect-list"),
        ("kubereach diagnose --ser", "--service"),
        ("kubereach explain ann-bgp-session", "ann-bgp-session-blocked"),
    ],
)
def test_words_are_completed(words: str, expected: str) -> None:
    count = str(len(words.split()) - 1)
    done = run(_KUBEREACH_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=count)
    assert f"plain,{expected}" in done.stdout.splitlines()


def test_an_unknown_shell_is_a_usage_error() -> None:
    done = run("completion", "csh")
    assert done.returncode == 2
    assert_two_lines(done)
