from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from rich.cells import cell_len

from kubereach.model.diagnosis import Cause, Diagnosis, Owner, Role, Target, Verdict
from kubereach.report.document import Detail, compose
from kubereach.report.text import render
from tests.conftest import Golden
from tests.report.hostile import hostile
from tests.report.sample import FULL

GOLDENS = Path(__file__).parent / "golden"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_full_report_at_each_width(width: int, golden: Golden) -> None:
    golden(GOLDENS / f"full-{width}.txt", render(compose(FULL), width))


def test_the_verbose_report_shows_unread_text(golden: Golden) -> None:
    text = render(compose(FULL, Detail.VERBOSE), 80)
    assert "nobody knows" in text
    assert "nobody knows" not in render(compose(FULL), 80)
    golden(GOLDENS / "full-verbose-80.txt", text)


def test_quiet_is_verdict_cause_and_flow_only() -> None:
    text = render(compose(FULL, Detail.QUIET), 400)
    assert len(text.splitlines()) == 2
    assert text.startswith("UNREACHABLE: ")


@pytest.mark.parametrize("width", [24, 40, 80, 120])
def test_only_verbatim_lines_are_wider_than_the_terminal(width: int) -> None:
    wide = [line for line in render(compose(FULL), width).splitlines() if cell_len(line) > width]
    commands = [command for cause in FULL.causes for repair in cause.repairs for command in repair.commands]
    commands += [probe.command for probe in FULL.next_probes]
    commands += [command for change in FULL.what_if for command in change.commands]
    commands += [command for remedy in FULL.remedies for change in remedy.changes for command in change.commands]
    assert [line for line in wide if line.strip() not in commands] == []


def test_every_command_stands_on_one_line_to_be_copied() -> None:
    lines = {line.strip() for line in render(compose(FULL), 40).splitlines()}
    assert FULL.causes[0].repairs[0].commands[0] in lines
    assert FULL.next_probes[0].command in lines


def test_wide_characters_are_measured_by_their_columns() -> None:
    cause = FULL.causes[0]
    japanese = msgspec.structs.replace(
        FULL, causes=(msgspec.structs.replace(cause, summary="ルーターとノードの間のポートが閉じています" * 4),)
    )
    lines = render(compose(japanese), 40).splitlines()
    verbatim = set(cause.repairs[0].commands + cause.repairs[1].commands) | {FULL.next_probes[0].command}
    verbatim |= set(FULL.what_if[0].commands)
    verbatim |= {command for change in FULL.remedies[0].changes for command in change.commands}
    assert max(cell_len(line) for line in lines if line.strip() not in verbatim) <= 40


def test_colour_only_when_asked() -> None:
    assert "\x1b" not in render(compose(FULL), 80)
    coloured = render(compose(FULL), 80, colour=True)
    assert "\x1b[1;31mUNREACHABLE" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(compose(FULL), 80)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp932"])
def test_what_the_terminal_cannot_show_is_spelled_out(encoding: str) -> None:
    text = render(compose(hostile("→ 日本語 \u20bd")), 60, encoding=encoding)
    text.encode(encoding)
    assert "* " in text
    assert "->" in text
    assert "\\u20bd" in text


@pytest.mark.parametrize(
    "payload",
    [
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
        "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
        "\x9b2J\x90q\x9c",
        "\r\x08\x7f\x00\v\f",
        "\u202egnp.exe\u2066\u2069",
        "\ud83d lone",
        "[bold red]rich[/] :smile:",
        "line\nbreak\ttab",
    ],
)
def test_no_control_character_of_evidence_reaches_the_terminal(payload: str) -> None:
    for colour in (False, True):
        text = render(compose(_poisoned(payload), Detail.VERBOSE), 80, colour=colour)
        ours = re.sub(r"\x1b\[[0-9;]*m", "", text) if colour else text
        assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", ours) == []
    assert "31m" not in render(compose(_poisoned(payload)), 80)


def test_rich_markup_in_evidence_stays_text() -> None:
    text = render(compose(hostile("[bold red]x[/] :smile:")), 200)
    assert "[bold red]x[/] :smile:" in text


def test_nothing_known_still_has_a_first_line() -> None:
    text = render(compose(Diagnosis(target=Target(), verdict=Verdict.UNDETERMINED)), 80)
    assert text.startswith("UNDETERMINED: no cause stands out in this evidence")


def test_a_single_cause_is_the_first_line() -> None:
    cause = Cause(
        code="c", class_="pod-not-listening", subject="pod/x", role=Role.ROOT, probability=0.83,
        owner=Owner.APPLICATION, summary="the pod listens on 127.0.0.1",
    )  # fmt: skip
    text = render(compose(Diagnosis(target=Target(), verdict=Verdict.UNREACHABLE, causes=(cause,))), 80)
    assert text.splitlines()[0] == "UNREACHABLE: the pod listens on 127.0.0.1 (very likely, 83%)."


def _poisoned(payload: str) -> Diagnosis:
    """Lone surrogates cannot pass msgspec, as they can in file names, so they are put in by hand."""
    if "\ud83d" not in payload:
        return hostile(payload)
    return msgspec.structs.replace(FULL, assumed=(payload,), missing=(payload,))
