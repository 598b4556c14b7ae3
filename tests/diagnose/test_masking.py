"""One fault hides another: after the repair of the first, the next one is found, and then nothing is wrong any more.

The clusters are the benchmark's, whose truth is what was put in; the repair takes one fault out and prints all anew.
"""

from __future__ import annotations

from functools import cache

import pytest
from benchmarks.diagnosis.generate.broken import Broken, make
from benchmarks.diagnosis.generate.sample import sampled

from kubereach.evidence.document import Document
from kubereach.model.diagnosis import Cause, Diagnosis, Role, Verdict
from kubereach.pipeline import Options, diagnose

# The first hides the second: no packet gets as far as the second one.
HIDING = (
    ("pool-exhausted", "no-advertisement"),
    ("no-advertisement", "pod-not-listening"),
    ("announcing-agent-down", "network-policy-drop"),
    ("service-not-selected", "source-ranges-deny"),
)
# Configuration exposes the flow to these, or a test from inside speaks for them.
WARNED_OF = {"network-policy-drop", "source-ranges-deny", "no-advertisement", "pod-not-listening"}
every_pair = pytest.mark.parametrize(("first", "second"), HIDING)


@cache
def _cluster(first: str, second: str) -> Broken:
    return make("masked/0", (first, second))


@cache
def _diagnosis(first: str, second: str, mended: int) -> Diagnosis:
    cluster = _cluster(first, second)
    files = sampled(cluster.without(cluster.faults[:mended]), "full")
    return diagnose([Document(name, content) for name, content in files.items()], Options())


def _lead(found: Diagnosis) -> Cause:
    return next(cause for cause in found.causes if cause.role is Role.ROOT)


@every_pair
def test_the_fault_in_front_is_found_first(first: str, second: str) -> None:
    found = _diagnosis(first, second, 0)
    assert found.verdict is Verdict.UNREACHABLE
    assert _lead(found).class_ in _cluster(first, second).faults[0].accept


@every_pair
def test_after_its_repair_the_one_behind_is_found(first: str, second: str) -> None:
    found = _diagnosis(first, second, 1)
    assert found.verdict is Verdict.UNREACHABLE
    assert _lead(found).class_ in _cluster(first, second).faults[1].accept


@every_pair
def test_after_both_repairs_nothing_is_wrong(first: str, second: str) -> None:
    found = _diagnosis(first, second, 2)
    assert found.verdict is Verdict.REACHABLE
    assert [cause.code for cause in found.causes if cause.role is Role.ROOT and cause.probability > 0.05] == []


@every_pair
def test_what_is_exposed_to_the_hidden_fault_is_named_at_the_root_that_hides_it(first: str, second: str) -> None:
    found = _diagnosis(first, second, 0)
    latent = {cause.code for cause in found.causes if cause.role is Role.LATENT}
    lead = _lead(found)
    assert set(lead.hides) <= latent
    if second in WARNED_OF:
        assert second in lead.hides
