"""What every diagnosis promises whatever the evidence: held against all cases and examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubereach.model.diagnosis import Role
from kubereach.pipeline import Options, diagnose
from kubereach.report.jsonform import render
from tests.diagnose.diagnosed import diagnosis_of, documents_of

ROOT = Path(__file__).parents[2]
INPUTS = sorted(
    [*ROOT.glob("tests/cases/*/evidence"), *ROOT.glob("examples/*/bundle"), *ROOT.glob("examples/*/post.txt")]
)
ORDER = {Role.ROOT: 0, Role.MISREAD: 0, Role.CONTRIBUTING: 1, Role.LATENT: 2}


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


every_input = pytest.mark.parametrize("path", INPUTS, ids=_name)


def test_there_is_something_to_hold_them_against() -> None:
    assert len(INPUTS) > 30


@every_input
def test_probabilities_are_chances(path: Path) -> None:
    found = diagnosis_of(path)
    numbers = [c.probability for c in found.causes] + [e.probability for e in found.effects] + [found.residual]
    assert all(0.0 <= number <= 1.0 for number in numbers)


@every_input
def test_roots_that_exclude_each_other_share_the_whole(path: Path) -> None:
    roots = [c for c in diagnosis_of(path).causes if c.role is Role.ROOT]
    leaders = [c for c in roots if c.alternative_of is None]
    others = [c for c in roots if c.alternative_of is not None]
    first = max((c.probability for c in leaders), default=0.0)
    assert first + max((c.probability for c in others), default=0.0) <= 1.0
    codes = {c.code for c in diagnosis_of(path).causes}
    assert {c.alternative_of for c in others} <= codes


@every_input
def test_causes_stand_by_role_and_then_by_probability(path: Path) -> None:
    keys = [(ORDER[c.role], -c.probability) for c in diagnosis_of(path).causes]
    assert keys == sorted(keys)


@every_input
def test_no_cause_is_listed_twice(path: Path) -> None:
    keys = [(c.code, c.subject) for c in diagnosis_of(path).causes]
    assert len(keys) == len(set(keys))


@every_input
def test_next_probes_separate_few_causes_and_change_nothing(path: Path) -> None:
    for probe in diagnosis_of(path).next_probes:
        assert 1 <= len(probe.separates) <= 4, probe.command
        assert probe.gain_bits > 0
        assert probe.risk == "none"
        assert probe.command
        assert probe.where
        assert len({answer.answer for answer in probe.if_answer}) == len(probe.if_answer)


@every_input
def test_only_a_walk_that_works_proves_a_repair(path: Path) -> None:
    found = diagnosis_of(path)
    own = {f"{found.target.service} from the client", "the flow from the client"}
    for repair in (*(r for c in found.causes for r in c.repairs), *found.what_if):
        assert repair.proved == bool(own & {*repair.clears}), repair.summary


@every_input
def test_a_remedy_is_proved_and_none_of_its_changes_can_be_spared(path: Path) -> None:
    for remedy in diagnosis_of(path).remedies:
        assert remedy.proved
        assert remedy.clears
        assert remedy.works_in >= 0.95
        assert all(change.without for change in remedy.changes)


@every_input
def test_every_claim_has_a_place(path: Path) -> None:
    found = diagnosis_of(path)
    names = tuple(document.name for document in documents_of(path))
    places = [b.origin for c in found.causes for b in c.because]
    places += [b.origin for c in found.cleared for b in c.because]
    places += [o for report in found.observations for o in report.origin.split(", ")]
    assert [place for place in places if not place.startswith(names)] == []


@every_input
def test_a_reachable_flow_has_no_likely_root(path: Path) -> None:
    found = diagnosis_of(path)
    if found.verdict == "reachable":
        assert all(c.probability < 0.5 for c in found.causes if c.role is Role.ROOT)


@pytest.mark.parametrize("path", INPUTS[::6], ids=_name)
def test_the_same_input_gives_the_same_bytes(path: Path) -> None:
    documents = documents_of(path)
    assert render(diagnose(documents, Options())) == render(diagnosis_of(path))
