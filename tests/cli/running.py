"""The program as a process, for the tests of its verbs."""

from __future__ import annotations

import os
import subprocess
import sys


def run(*words: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kubereach", *words],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "80", **environment},
    )


def assert_two_lines(done: subprocess.CompletedProcess[str]) -> None:
    """An error is what is wrong and what to do next, on standard error alone."""
    lines = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "next"], done.stderr
    assert done.stdout == ""
