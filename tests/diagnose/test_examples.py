"""What each folder of examples must give: verdict, exit status, the first causes, and what is proved."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from msgspec import Struct

from kubereach.cli.main import run
from kubereach.evidence.document import Document
from kubereach.model.diagnosis import Cause, Diagnosis, Role, Verdict
from kubereach.pipeline import Options, diagnose
from kubereach.report.jsonform import render

ROOT = Path(__file__).parents[2] / "examples"
EQUAL = 0.01  # leaders whose probabilities differ by less are equal
NEW_NODE = "two-faults-on-a-new-node/bundle"


class Expected(Struct, frozen=True, kw_only=True):
    """What an input of the examples must give; `leading` are the classes that share the first place."""

    verdict: Verdict
    leading: frozenset[str]
    at_least: float
    proved: bool = True  # whether a repair of each leader was shown to work


EXAMPLES = {
    "founding-case/post.txt": Expected(
        verdict=Verdict.UNREACHABLE,
        leading=frozenset({"ann-bgp-session-blocked", "ann-node-agent-down"}),
        at_least=0.2,
    ),
    "founding-case-repaired/post.txt": Expected(
        verdict=Verdict.REACHABLE, leading=frozenset(), at_least=0.0, proved=False
    ),
    "layer-2-after-an-upgrade/post.txt": Expected(
        verdict=Verdict.UNREACHABLE, leading=frozenset({"ann-node-excluded"}), at_least=0.7
    ),
    "policy-denies/post.txt": Expected(
        verdict=Verdict.UNREACHABLE, leading=frozenset({"policy-networkpolicy"}), at_least=0.7
    ),
    "healthy-but-no-ping/post.txt": Expected(
        verdict=Verdict.REACHABLE, leading=frozenset({"misread-icmp-to-vip"}), at_least=0.5, proved=False
    ),
    "ipv6-peer-refuses/bundle": Expected(
        verdict=Verdict.UNREACHABLE, leading=frozenset({"ann-bgp-rejected-by-peer"}), at_least=0.7
    ),
    "two-faults-on-a-new-node/after-the-first-repair": Expected(
        verdict=Verdict.UNREACHABLE, leading=frozenset({"ingress-forward-drop"}), at_least=0.7
    ),
}
RESIDUAL = 0.2  # what no known fault explains may not be more
CERTAIN = 0.7
POSTS = [name for name in EXAMPLES if name.endswith(".txt")]
BUNDLES = [name for name in EXAMPLES if not name.endswith(".txt")]

# What mail programs, forums and clipboards do to a text on its way.
CHANGED: dict[str, Callable[[str], str]] = {
    "quoted": lambda text: "".join(f"> {line}" for line in text.splitlines(keepends=True)),
    "indented": lambda text: "".join(f"    {line}" for line in text.splitlines(keepends=True)),
    "entities": lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
    "no blank lines": lambda text: re.sub(r"\n{2,}", "\n", text),
    "no trailing blanks": lambda text: re.sub(r"(?m)[ \t]+$", "", text),
    "narrow columns": lambda text: re.sub(r"(?<=\S) {2,}(?=\S)", "  ", text),
    "no names in prompts": lambda text: re.sub(r"(?m)^\w+@[\w-]+:~\$ ", "$ ", text),
    "fenced": lambda text: re.sub(r"(?m)^(?=\w+@[\w-]+:~\$ )", "```\n", text),
    "hard spaces": lambda text: text.replace("  ", "\u00a0 "),
}


def _documents(path: Path) -> tuple[Document, ...]:
    files = [path] if path.is_file() else sorted(path.iterdir())
    return tuple(Document(each.name, each.read_bytes()) for each in files)


@cache
def _diagnosis(name: str) -> Diagnosis:
    return diagnose(_documents(ROOT / name), Options())


def _first(found: Diagnosis) -> tuple[Cause, ...]:
    """The roots and misreadings that share the first place."""
    named = [c for c in found.causes if c.role in {Role.ROOT, Role.MISREAD}]
    best = max((c.probability for c in named), default=0.0)
    return tuple(c for c in named if c.probability > best - EQUAL)


def test_every_example_is_expected_to_give_something() -> None:
    folders = {name.split("/")[0] for name in (*EXAMPLES, NEW_NODE)}
    assert folders == {p.name for p in ROOT.iterdir() if p.is_dir()}
    assert all((ROOT / folder / "README.md").is_file() for folder in folders)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_verdict_and_the_first_causes(name: str) -> None:
    expected, found = EXAMPLES[name], _diagnosis(name)
    assert found.verdict == expected.verdict
    first = _first(found)
    if expected.leading:
        assert expected.leading >= {c.class_ for c in first}, [(c.class_, c.probability) for c in first]
        assert sum(c.probability for c in first) >= expected.at_least
        assert found.residual < RESIDUAL
    else:
        assert not first


@pytest.mark.parametrize("name", [n for n, e in EXAMPLES.items() if e.proved])
def test_the_repair_of_each_leader_is_proved(name: str) -> None:
    for cause in _first(_diagnosis(name)):
        assert any(repair.proved for repair in cause.repairs), cause.code


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_exit_status(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["kubereach", "diagnose", str(ROOT / name), "--quiet"])
    assert status == (0 if EXAMPLES[name].verdict is Verdict.REACHABLE else 1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", BUNDLES)
def test_the_order_of_files_does_not_matter(name: str) -> None:
    assert render(diagnose(_documents(ROOT / name)[::-1], Options())) == render(_diagnosis(name))


@pytest.mark.parametrize("name", BUNDLES)
def test_no_missing_file_makes_another_cause_certain(name: str) -> None:
    documents = _documents(ROOT / name)
    for left_out in documents:
        first = _first(diagnose(tuple(d for d in documents if d is not left_out), Options()))
        wrong = [c.code for c in first if c.class_ not in EXAMPLES[name].leading and c.probability >= CERTAIN]
        assert not wrong, left_out.name


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.parametrize("name", POSTS)
def test_a_post_that_was_changed_on_its_way(name: str, change: str) -> None:
    changed = CHANGED[change]((ROOT / name).read_text(encoding="utf-8"))
    found = diagnose((Document("post.txt", changed.encode()),), Options())
    assert found.verdict == EXAMPLES[name].verdict
    assert EXAMPLES[name].leading >= {c.class_ for c in _first(found)}


def test_two_faults_are_both_named_before_anything_is_repaired() -> None:
    found = _diagnosis(NEW_NODE)
    assert found.verdict == Verdict.UNREACHABLE
    assert [c.code for c in _first(found)] == ["bgp-session-blocked"]
    second = next(c for c in found.causes if (c.code, c.subject) == ("forward-drop", "node/hazel-3"))
    assert second.role in {Role.ROOT, Role.LATENT}
    assert any(repair.proved for repair in second.repairs)


def test_the_first_repair_alone_is_not_said_to_be_enough() -> None:
    first = _first(_diagnosis(NEW_NODE))[0]
    assert not any(repair.proved for repair in first.repairs)
    assert "FORWARD" in " ".join(effect for repair in first.repairs for effect in repair.side_effects)


def test_the_session_is_no_cause_any_more_after_its_repair() -> None:
    found = _diagnosis("two-faults-on-a-new-node/after-the-first-repair")
    assert not [c for c in found.causes if c.code.startswith("bgp-session") and c.probability > EQUAL]


def test_nothing_is_said_to_fail_where_the_service_answers() -> None:
    found = _diagnosis("healthy-but-no-ping/post.txt")
    assert [effect.says for effect in found.effects] == []
