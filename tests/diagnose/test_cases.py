"""Every folder under tests/cases: what its fault explains, and what looks alike and must not be blamed on it.

`case.yaml` says: `cause` (class) and `code` (fault) that the case is about; `verdict`; `explains`: yes, or near-miss
where one observation speaks against the fault; `not`: codes that must not lead; `why`, for the reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from kubereach.build.assemble import build
from kubereach.diagnose.catalogue import fault_module
from kubereach.diagnose.fault import FaultModule, Presence, Suspect
from kubereach.diagnose.faults._index import FAULTS
from kubereach.diagnose.observe import collect
from kubereach.diagnose.rank import rank
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.cause_class import CLASSES
from kubereach.model.diagnosis import Diagnosis, Role
from kubereach.pipeline import Options, diagnose
from kubereach.simulate.world import Changes, World
from tests.diagnose.diagnosed import diagnosis_of, documents_of

ROOT = Path(__file__).parents[1] / "cases"
CASES = sorted(path.parent for path in ROOT.glob("*/case.yaml"))
EQUAL = 0.01  # leaders whose probabilities differ by less are equal
NEGLIGIBLE = 0.1
KEYS = {"cause", "code", "verdict", "explains", "not", "why"}


def _case(folder: Path) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8")))


def _documents(folder: Path) -> tuple[Document, ...]:
    return documents_of(folder / "evidence")


def _diagnosis(folder: Path) -> Diagnosis:
    return diagnosis_of(folder / "evidence")


def _leaders(found: Diagnosis) -> set[str]:
    """The codes that share the first place among roots and misreadings."""
    first = [c for c in found.causes if c.role in {Role.ROOT, Role.MISREAD}]
    best = max((c.probability for c in first), default=0.0)
    return {c.code for c in first if c.probability > best - EQUAL}


def _probability(found: Diagnosis, code: str) -> float:
    """The best probability of a fault as root or misreading."""
    roles = {Role.ROOT, Role.MISREAD}
    return max((c.probability for c in found.causes if c.code == code and c.role in roles), default=0.0)


def _ids(folders: Iterable[Path]) -> list[str]:
    return [folder.name for folder in folders]


EXPLAINED = [folder for folder in CASES if _case(folder)["explains"] == "yes"]
NEAR = [folder for folder in CASES if _case(folder)["explains"] == "near-miss"]


@pytest.mark.parametrize("folder", CASES, ids=_ids(CASES))
def test_the_case_is_well_formed(folder: Path) -> None:
    case = _case(folder)
    assert set(case) <= KEYS
    assert case["cause"] in CLASSES
    assert FAULTS[case["code"]][1] == case["cause"]
    assert case["explains"] in {"yes", "near-miss"}
    assert len(case["why"]) > 40
    assert set(case.get("not", ())) <= set(FAULTS)
    assert (case["explains"] == "near-miss") == bool(case.get("not"))
    captures = [d for d in _documents(folder) if d.name not in {"observed.yaml", "stated.yaml"}]
    assert [d.name for d in captures] == ["post.txt"] or 3 <= len(captures) <= 10


@pytest.mark.parametrize("folder", CASES, ids=_ids(CASES))
def test_the_verdict(folder: Path) -> None:
    assert _diagnosis(folder).verdict == _case(folder)["verdict"]


@pytest.mark.parametrize("folder", CASES, ids=_ids(CASES))
def test_every_line_of_the_evidence_is_understood(folder: Path) -> None:
    assert [(span.origin, span.text) for span in _diagnosis(folder).unread] == []


@pytest.mark.parametrize("folder", EXPLAINED, ids=_ids(EXPLAINED))
def test_the_fault_that_explains_the_case_leads(folder: Path) -> None:
    found = _diagnosis(folder)
    shown = [(c.role.value, c.code, c.probability) for c in found.causes[:4]]
    assert _case(folder)["code"] in _leaders(found), shown


@pytest.mark.parametrize("folder", NEAR, ids=_ids(NEAR))
def test_a_near_miss_is_not_blamed_on_the_fault(folder: Path) -> None:
    found = _diagnosis(folder)
    for code in _case(folder)["not"]:
        assert code not in _leaders(found) or _probability(found, code) < NEGLIGIBLE, code


def test_each_explained_fault_has_a_near_miss_and_the_other_way_round() -> None:
    assert {_case(f)["code"] for f in EXPLAINED} == {_case(f)["code"] for f in NEAR}
    assert len({_case(f)["code"] for f in EXPLAINED}) >= 14


@pytest.mark.parametrize("folder", NEAR, ids=_ids(NEAR))
def test_a_near_miss_gives_the_fault_less_than_its_own_case_does(folder: Path) -> None:
    code = _case(folder)["code"]
    explained = next(f for f in EXPLAINED if _case(f)["code"] == code)
    assert _probability(_diagnosis(folder), code) < _probability(_diagnosis(explained), code)


def _weights(folder: Path) -> dict[str, float]:
    """Code → mass of the hypotheses that hold the fault, the standing ones included."""
    network = build(read_evidence(_documents(folder)).facts)
    ranking = rank(network, collect(network))
    found: dict[str, float] = {}
    for hypothesis in ranking.hypotheses:
        for suspect in hypothesis.assumed:
            found[suspect.fault.code] = found.get(suspect.fault.code, 0.0) + hypothesis.weight
    return found


def _inert(world: World, suspect: Suspect) -> Changes:
    return {}


def _standing(folder: Path, module: FaultModule) -> bool:
    """Whether the fault stands in the case's configuration, and so is in its world before anything is applied."""
    world = World(build(read_evidence(_documents(folder)).facts))
    return any(suspect.presence is Presence.PRESENT for suspect in module.suspects(world))


@pytest.mark.parametrize("folder", EXPLAINED, ids=_ids(EXPLAINED))
def test_a_fault_that_does_nothing_explains_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its effect on the world the fault loses its place: nothing else in the engine names it."""
    code = _case(folder)["code"]
    module = fault_module(code)
    before = _probability(_diagnosis(folder), code)
    if _standing(folder, module):  # it is there without being applied, and blamed for what its removal mends
        monkeypatch.setattr(module, "remove", _inert)
    monkeypatch.setattr(module, "apply", _inert)
    after = _probability(diagnose(_documents(folder), Options()), code)
    assert after < 0.5 * before, (before, after)


@pytest.mark.parametrize("folder", EXPLAINED, ids=_ids(EXPLAINED))
def test_the_evidence_makes_the_fault_much_likelier(folder: Path) -> None:
    """An assumed fault becomes at least five times as likely as by itself; one that is seen is likelier than not."""
    code = _case(folder)["code"]
    module = fault_module(code)
    if _standing(folder, module):
        assert _probability(_diagnosis(folder), code) > 0.5
    else:
        assert _weights(folder).get(code, 0.0) > min(5 * module.FAULT.prior, 0.5)
