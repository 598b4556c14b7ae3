"""What each verb loads. Start-up time is held down by the set of imports, which no slow machine can blur."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "asyncio", "dataclasses", "hashlib", "importlib.metadata", "inspect", "jinja2", "logging", "rich",
    "subprocess", "tarfile", "yaml", "zipfile",
}  # fmt: skip

POST = """\
$ kubectl get svc web
NAME   TYPE           CLUSTER-IP    EXTERNAL-IP    PORT(S)        AGE
web    LoadBalancer   10.43.0.20    203.0.113.10   80:30080/TCP   3d
"""


def _imported(*words: str) -> set[str]:
    """The modules that `kubereach WORDS` imports beyond those of the bare interpreter."""
    return _modules("-m", "kubereach", *words) - _modules("-c", "pass")


def _modules(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert "Traceback" not in done.stderr
    return set(re.findall(r"^import time:[ \d]+\|[ \d]+\| +([\w.]+)$", done.stderr, re.MULTILINE))


@pytest.fixture
def post(tmp_path: Path) -> str:
    path = tmp_path / "post.txt"
    path.write_text(POST)
    return str(path)


def test_the_measure_measures() -> None:
    assert {"rich", "dataclasses"} <= _modules("-c", "import rich.console")


@pytest.mark.parametrize(
    "words",
    [
        ("--version",),
        ("--help",),
        ("explain", "pod-not-listening"),
        ("schema",),
        ("schema", "next"),
        ("schema", "what-if"),
        ("schema", "diff"),
        ("diff", "--help"),
        ("what-if", "--help"),
    ],
)
def test_the_small_verbs_load_no_engine(words: tuple[str, ...]) -> None:
    imported = _imported(*words)
    assert "click" in imported
    assert imported & (HEAVY - {"inspect"}) == set()
    loaded = {name.split(".")[1] for name in imported if name.startswith("kubereach.")}
    # A fault's module is its documentation, and it brings the worlds that it changes.
    engine = {"pipeline", "sources", "evidence", "build", "probes", "advise", "simulate"}
    assert loaded & (engine - ({"simulate"} if words[0] == "explain" else set())) == set()


@pytest.mark.parametrize("words", [("--version",), ("--help",)])
def test_help_and_version_import_no_verb(words: tuple[str, ...]) -> None:
    imported = _imported(*words)
    assert "kubereach.cli.main" in imported
    assert imported & {"kubereach.cli.diagnose", "kubereach.cli.explain", "kubereach.cli.schema"} == set()


@pytest.mark.parametrize("verb", ["diagnose", "next"])
def test_json_loads_nothing_of_the_text_report(verb: str, post: str) -> None:
    imported = _imported(verb, post, "-o", "json")
    assert "kubereach.report.jsonform" in imported
    assert imported & (HEAVY - {"inspect"}) == set()


def test_text_loads_rich_and_not_its_larger_parts(post: str) -> None:
    imported = _imported("diagnose", post)
    assert "rich.console" in imported
    assert imported & {"pygments", "markdown_it", "asyncio", "yaml", "importlib.metadata", "jinja2"} == set()
