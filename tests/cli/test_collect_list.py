from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kubereach.advise.collect import PLACES, Names, full
from kubereach.evidence.shell import innermost
from kubereach.evidence.sniff import by_command
from tests.cli.running import assert_two_lines, run

POST = """\
$ kubectl get svc -n shop front
NAME    TYPE           CLUSTER-IP    EXTERNAL-IP    PORT(S)        AGE
front   LoadBalancer   10.43.0.20    203.0.113.10   80:30080/TCP   3d
"""


@pytest.mark.parametrize("item", full(Names()), ids=lambda item: item.command)
def test_every_output_that_is_asked_for_has_a_reader(item: object) -> None:
    from kubereach.advise.collect import Item

    assert isinstance(item, Item)
    assert by_command(innermost(item.command).command)
    assert item.where in PLACES
    assert item.gives


def test_without_evidence_the_whole_list_by_place_with_the_names_filled_in() -> None:
    done = run("collect-list", "--service", "shop/front", "--address", "203.0.113.10:8080")
    assert done.returncode == 0
    assert "kubectl get svc -n shop front -o yaml" in done.stdout
    assert "curl -sv -m 5 -o /dev/null http://203.0.113.10:8080/" in done.stdout
    for place in PLACES:
        assert f"On {place} (" in done.stdout
    assert not re.search(r"\b(?:ADDRESS|PORT|NAMESPACE)\b", done.stdout)


def test_without_names_the_placeholders_stay() -> None:
    assert "curl -sv -m 5 -o /dev/null http://ADDRESS:PORT/" in run("collect-list").stdout


def test_with_evidence_only_what_it_leaves_open() -> None:
    done = run("collect-list", "-", "-o", "json", stdin=POST)
    found = json.loads(done.stdout)
    assert (found["schema"], found["ranked"]) == ("kubereach/collect-list/v1", True)
    assert "shop/front" in found["head"]
    assert 0 < len(found["items"]) < len(full(Names()))
    report = json.loads(run("diagnose", "-", "-o", "json", stdin=POST).stdout)
    asked = [probe["command"] for probe in report["next_probes"]]
    assert [item["command"] for item in found["items"]][: len(asked)] == asked
    assert all(item["where"] and item["privilege"] in {"none", "exec", "root", "router"} for item in found["items"])


def test_markdown_has_the_commands_in_blocks() -> None:
    text = run("collect-list", "--service", "shop/front", "-o", "markdown").stdout
    assert text.count("```") % 2 == 0
    block = text.partition("```sh\n")[2].partition("```")[0].splitlines()
    assert "kubectl describe svc -n shop front" in block
    assert all(line.startswith(("# ", "kubectl ", "cilium ")) for line in block)


def test_evidence_that_says_nothing_gets_the_whole_list(tmp_path: Path) -> None:
    post = tmp_path / "post.txt"
    post.write_text("It does not work, please help.\n")
    done = run("collect-list", str(post), "--service", "shop/front")
    assert done.returncode == 0
    assert "Note: nothing in the input can be read as evidence" in done.stdout
    assert "kubectl get svc -n shop front -o yaml" in done.stdout


@pytest.mark.parametrize("words", [("--service", "web"), ("missing.txt",), ("--address", "x"), ("-o", "html")])
def test_usage_errors(words: tuple[str, ...]) -> None:
    done = run("collect-list", *words)
    assert done.returncode == 2
    assert_two_lines(done)
