"""The diagnosis in README.md is what the program prints; `make readme` renews it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kubereach.cli.main import VERBS

ROOT = Path(__file__).parents[2]
_BLOCK = r"(?s)(<!-- diagnosis:begin -->\n```console\n)(.*?)(```\n<!-- diagnosis:end -->)"


def _printed(command: str) -> str:
    """What `$ kubereach WORDS | head -n N` prints, at 80 columns."""
    found = re.fullmatch(r"\$ kubereach (.*?)(?: \| head -n (\d+))?", command)
    assert found is not None, command
    done = subprocess.run(
        [sys.executable, "-m", "kubereach", *shlex.split(found[1])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
    )
    assert (done.returncode in {0, 1, 3}, done.stderr) == (True, "")
    return "".join(done.stdout.splitlines(keepends=True)[: int(found[2]) if found[2] else None])


@pytest.mark.skipif(not (ROOT / "examples/founding-case/post.txt").exists(), reason="the example is not there")
def test_the_shown_diagnosis_is_the_real_one(accept: bool) -> None:  # noqa: FBT001 - a fixture
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    found = re.search(_BLOCK, text)
    assert found is not None
    command = found[2].splitlines()[0]
    shown = f"{command}\n{_printed(command)}"
    if accept:
        path.write_text(text.replace(found[2], shown), encoding="utf-8")
    assert accept or found[2] == shown, "README.md shows something else: run make readme"


def test_every_verb_that_the_readme_shows_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"(?s)```(?:sh|console)\n(.*?)```", text))
    verbs = set(re.findall(r"kubereach ([a-z]+(?:-[a-z]+)*)", blocks))
    assert {"diagnose"} <= verbs <= set(VERBS)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_links_and_paths_lead_somewhere(name: str) -> None:
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    targets = [path.parent / link for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text)]
    targets += [ROOT / word for word in re.findall(r"`((?:src|tests|docs)/[\w./-]+)`", text)]
    assert [str(target) for target in targets if not target.exists()] == []
