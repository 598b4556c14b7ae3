from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.cli.running import assert_two_lines, run

FOUNDING = Path(__file__).parents[2] / "examples" / "founding-case"


def test_the_questions_alone_in_each_form() -> None:
    found = json.loads(run("next", str(FOUNDING / "bundle"), "-o", "json").stdout)
    jsonschema.validate(found, json.loads(run("schema", "next").stdout), jsonschema.Draft202012Validator)
    worth = [q["gain_bits"] / q["cost_seconds"] for q in found["questions"]]
    assert worth == sorted(worth, reverse=True)
    assert {"node", "router", "cluster"} <= {q["who"] for q in found["questions"]}
    assert all(q["risk"] == "none" and q["if_answer"] for q in found["questions"])
    for form in ("text", "markdown"):
        text = run("next", str(FOUNDING / "bundle"), "-o", form).stdout
        assert [q["command"] for q in found["questions"] if q["command"] not in text] == []
        assert "worth asking" in text
        assert "ROOT CAUSE" not in text.upper().replace("ROOT CAUSES", "")


def test_the_list_goes_on_where_the_report_stops() -> None:
    report = json.loads(run("diagnose", str(FOUNDING / "bundle"), "-o", "json").stdout)
    listed = json.loads(run("next", str(FOUNDING / "bundle"), "-o", "json", "--limit", "40").stdout)["questions"]
    asked = [probe["command"] for probe in report["next_probes"]]
    assert [q["command"] for q in listed][: len(asked)] == asked
    assert len(listed) > len(asked)


def test_a_question_that_is_worth_little_is_asked_where_nothing_is_known() -> None:
    done = run("next", "-", stdin="$ kubectl version\nServer Version: v1.30.2\n")
    assert done.returncode == 0
    assert "1 question worth asking" in done.stdout


@pytest.mark.parametrize(("words", "status"), [(("--limit", "0"), 2), (("nowhere",), 2), (("-o", "html"), 2)])
def test_usage_errors(words: tuple[str, ...], status: int) -> None:
    done = run("next", *words)
    assert done.returncode == status
    assert_two_lines(done)


def test_nothing_readable() -> None:
    done = run("next", "-", stdin="It does not work.\n")
    assert done.returncode == 4
    assert_two_lines(done)
