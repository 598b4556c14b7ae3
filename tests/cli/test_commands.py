"""The program as a user runs it: a process with its streams and exit status."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubereach import __version__
from kubereach.cli.explain import faults_by_code
from kubereach.cli.main import VERBS
from kubereach.model.cause_class import CLASSES
from tests.cli.running import assert_two_lines
from tests.cli.running import run as run_program

POST = """\
$ kubectl get svc web
NAME   TYPE           CLUSTER-IP    EXTERNAL-IP    PORT(S)        AGE
web    LoadBalancer   10.43.0.20    203.0.113.10   80:30080/TCP   3d
"""


def test_version() -> None:
    done = run_program("--version")
    assert (done.returncode, done.stdout) == (0, f"kubereach {__version__}\n")


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_every_help_has_an_example(verb: str | None) -> None:
    done = run_program(*([verb] if verb else []), "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_help_lists_every_verb_as_the_verb_describes_itself() -> None:
    text = run_program("--help").stdout
    for verb, (_, summary) in VERBS.items():
        assert f"  {verb}" in text
        assert summary in text


def test_no_words_show_the_help_and_are_a_usage_error() -> None:
    done = run_program()
    assert done.returncode == 2
    assert "Usage:" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("--nonsense",),
        ("diagnose", "--nonsense"),
        ("diagnose", "x", "--live"),
        ("diagnose", "x", "-o", "pdf"),
        ("diagnose", "x", "-v", "-q"),
        ("diagnose", "x", "--service", "web"),
        ("diagnose", "x", "--address", "web.example"),
        ("diagnose", "x", "--address", "203.0.113.1:0"),
        ("diagnose", "x", "--address", "203.0.113.1:99999"),
        ("diagnose", "x", "--address", "[2001:db8::1"),
        ("diagnose", "x", "--from", "10.0.0.0/8"),
        ("explain", "ann-bgp-session-blocket"),
        ("explain", "\x1b[31m"),
        ("schema", "x"),
    ],
)
def test_usage_errors_are_two_lines_and_exit_2(words: tuple[str, ...]) -> None:
    done = run_program(*words)
    assert done.returncode == 2
    assert_two_lines(done)
    assert "\x1b" not in done.stderr


def test_a_path_without_a_verb_is_told_the_verb(tmp_path: Path) -> None:
    done = run_program(str(tmp_path))
    assert done.returncode == 2
    assert f"`kubereach diagnose {tmp_path}`" in done.stderr
    assert_two_lines(done)


def test_a_terminal_as_input_is_asked_for_a_path() -> None:
    leader, follower = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "kubereach", "diagnose"],
            stdin=follower,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(leader)
        os.close(follower)
    assert done.returncode == 2
    assert_two_lines(done)


def test_schema_is_json() -> None:
    assert json.loads(run_program("schema").stdout)["$schema"].startswith("https://json-schema.org/")


def test_explain_knows_every_class() -> None:
    text = run_program("explain").stdout
    assert [name for name in CLASSES if f"  {name}: " not in text] == []


def test_explain_a_class() -> None:
    done = run_program("explain", "ann-bgp-session-blocked")
    assert done.returncode == 0
    assert CLASSES["ann-bgp-session-blocked"].means[1:] in done.stdout


def test_explain_every_cause_of_the_catalogue() -> None:
    for code, (_, class_name) in faults_by_code().items():
        text = run_program("explain", code).stdout
        assert text.startswith(f"{code}\n\nClass:  {class_name} ({CLASSES[class_name].means})\n")
        assert len(text.splitlines()) > 10


def test_an_unknown_name_gets_its_nearest_matches() -> None:
    assert "ann-bgp-session-blocked" in run_program("explain", "ann-bgp-session-blokd").stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "kubereach", "explain"],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_told_in_two_lines() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kubereach", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write the output: ")
    assert len(done.stderr.splitlines()) == 2


def test_interrupted_without_a_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "kubereach", "diagnose", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time.sleep(1.5)  # it is waiting for its input by then
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert process.stderr is not None
        assert process.stderr.read().strip() == ""


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_every_form_comes_out_of_a_post(form: str, tmp_path: Path) -> None:
    post = tmp_path / "post.txt"
    post.write_text(POST)
    done = run_program("diagnose", str(post), "-o", form)
    assert (done.returncode in {0, 1, 3}, done.stderr) == (True, "")
    starts = {
        "text": "UNREACHABLE|UNDETERMINED|REACHABLE|DEGRADED",
        "json": "{",
        "markdown": r"## \*\*",
        "html": "<!DOCTYPE html>",
    }
    assert re.match(starts[form], done.stdout)
    if form == "json":
        assert json.loads(done.stdout)["schema"] == "kubereach/diagnosis/v1"


def test_standard_input_is_read_when_something_is_piped_in() -> None:
    piped = run_program("diagnose", "-o", "json", stdin=POST)
    named = run_program("diagnose", "-", "-o", "json", stdin=POST)
    assert piped.stdout == named.stdout != ""


@pytest.mark.parametrize(
    "content", [None, b"", b"\n\n", b"I cannot reach my service, please help!", b"\x89PNG\r\n\x00\x1b[2J"]
)
def test_input_without_evidence_exits_4(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "post.txt").write_bytes(content)
    done = run_program("diagnose", str(tmp_path))
    assert done.returncode == 4
    assert_two_lines(done)


def test_a_path_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    done = run_program("diagnose", str(tmp_path / "missing\x1b[31m.txt"))
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert_two_lines(done)


def test_an_encoding_without_our_signs_is_no_error(tmp_path: Path) -> None:
    post = tmp_path / "post.txt"
    post.write_text("$ ping -c1 203.0.113.10\nPING 203.0.113.10 (203.0.113.10) 56(84) bytes of data.\n")
    done = run_program("diagnose", str(post), PYTHONIOENCODING="ascii")
    assert done.returncode in {0, 1, 3}
    assert done.stdout.isascii()
