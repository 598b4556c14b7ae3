"""The worth of a question is the entropy that its answer is expected to take away, per second."""

from __future__ import annotations

from math import log2
from pathlib import Path

import pytest

from kubereach.advise import next_probe
from kubereach.advise.information import bits, table
from kubereach.advise.next_probe import NOTHING, UNKNOWN, Candidate, candidates, valued
from kubereach.build.assemble import build
from kubereach.diagnose.hypothesis import Hypothesis
from kubereach.diagnose.observe import collect
from kubereach.diagnose.rank import rank
from kubereach.diagnose.roles import judged
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.attribute import ENCAPSULATION
from kubereach.probes.question import Distribution
from kubereach.simulate.world import World

BUNDLE = Path(__file__).parents[2] / "examples" / "founding-case" / "bundle"
NETWORK = build(read_evidence(tuple(Document(f.name, f.read_bytes()) for f in sorted(BUNDLE.iterdir()))).facts)


def _entropy(shares: list[float]) -> float:
    total = sum(shares)
    return -sum(s / total * log2(s / total) for s in shares if s)


def _candidate(answers: dict[int, Distribution], **changed: object) -> Candidate:
    """A question; `answers` by the identity of the hypothesis."""
    given: dict[str, object] = {
        "where": "router", "command": "show", "seconds": 10.0, "privilege": "none", "risk": "none",
        "predict": lambda h: answers.get(id(h)), "usual": {}, "words": lambda answer: answer,
    }  # fmt: skip
    return Candidate(**{**given, **changed})  # type: ignore[arg-type]


def _hypotheses(*weights: float) -> list[Hypothesis]:
    found = [Hypothesis(World(NETWORK), (), (), 0.5) for _ in weights]
    for hypothesis, weight in zip(found, weights, strict=True):
        hypothesis.weight = weight
    return found


def test_bits_are_the_expected_fall_of_the_entropy() -> None:
    """Computed the other way: the entropy before, less the mean entropy after each answer."""
    rows = [(0.5, "a", {"x": 0.9, "y": 0.1}), (0.3, "b", {"x": 0.2, "y": 0.8}), (0.2, "a", {"y": 1.0})]
    joint = table(rows)
    after = sum(sum(row.values()) * _entropy(list(row.values())) for row in joint.values())
    assert bits(joint) == pytest.approx(_entropy([0.7, 0.3]) - after)


def test_a_perfect_answer_gives_all_of_it_but_for_its_chance_of_error() -> None:
    one, two = _hypotheses(0.5, 0.5)
    found = valued([_candidate({id(one): {"x": 1.0}, id(two): {"y": 1.0}})], [(one, "a"), (two, "b")], 0.0)
    assert 0.9 < found[0].gain < 1.0


def test_answers_that_read_alike_tell_nothing() -> None:
    one, two = _hypotheses(0.5, 0.5)
    alike = _candidate({id(one): {"active": 1.0}, id(two): {"connect": 1.0}}, words=lambda _: "not Established")
    assert valued([alike], [(one, "a"), (two, "b")], 0.0) == []


def test_a_background_of_other_questions_weighs_nothing() -> None:
    """A hypothesis without a prediction is as heavy as before, however many answers the probe knows altogether."""
    one, two = _hypotheses(0.5, 0.5)
    background = {"x": 0.5, "y": 0.5, "0": 0.8, "1": 0.1, "2+": 0.1}
    found = valued([_candidate({id(one): {"x": 0.9, "y": 0.1}}, usual=background)], [(one, "a"), (two, "b")], 0.0)
    masses: dict[str, float] = {}
    for row in found[0].joint.values():
        for label, mass in row.items():
            masses[label] = masses.get(label, 0.0) + mass
    assert masses == pytest.approx({"a": 0.5, "b": 0.5})


def test_the_unknown_takes_part() -> None:
    (one,) = _hypotheses(0.5)
    found = valued([_candidate({id(one): {"x": 1.0}}, usual={"x": 0.2, "y": 0.8})], [(one, "a")], 0.5)
    assert found == [], "an answer that no hypothesis gives is not predicted"
    one, two = _hypotheses(0.4, 0.1)
    offered = _candidate({id(one): {"x": 1.0}, id(two): {"y": 1.0}}, usual={"x": 0.2, "y": 0.8})
    found = valued([offered], [(one, "a"), (two, NOTHING)], 0.5)
    assert found[0].joint["y"][UNKNOWN] == pytest.approx(0.4)


def test_what_only_reads_comes_first_and_then_what_is_cheap() -> None:
    one, two = _hypotheses(0.5, 0.5)
    answers: dict[int, Distribution] = {id(one): {"x": 1.0}, id(two): {"y": 1.0}}
    offered = [
        _candidate(answers, command="restart", risk="restarts the agent", seconds=1.0),
        _candidate(answers, command="slow", seconds=100.0),
        _candidate(answers, command="quick", seconds=10.0),
        _candidate(answers, command="quick", seconds=50.0),
    ]
    found = valued(offered, [(one, "a"), (two, "b")], 0.0)
    assert [v.candidate.command for v in found] == ["quick", "slow", "restart"]


def test_a_setting_that_hypotheses_differ_in_is_asked_for() -> None:
    """The encapsulation is known at second hand only, and decides what the policy would do."""
    groups = collect(NETWORK)
    ranking = rank(NETWORK, groups)
    commands = {c.command for c in candidates(NETWORK, groups)}
    assert "kubectl get ippools -o yaml" in commands
    assert "kubectl -n kube-system get configmap kube-proxy -o yaml" in commands, "stated, and not printed by anything"
    assert not any("get service " in command for command in commands), "the policy was shown"
    values = [(h, h.world.get("cluster", ENCAPSULATION)) for h, _ in judged(ranking)]
    asked = next(c for c in candidates(NETWORK, groups) if "ippools" in c.command)
    found = valued([asked], values, ranking.residual)
    assert found, "what is asked about is what the answer tells"
    assert found[0].gain > next_probe.LEAST_GAIN


def test_one_output_is_worth_all_that_it_answers() -> None:
    """Two questions of which each halves what is left, answered by one command."""
    hypotheses = _hypotheses(0.25, 0.25, 0.25, 0.25)
    labels = list(zip(hypotheses, "abcd", strict=True))
    first = _candidate({id(h): {"x" if n < 2 else "y": 1.0} for n, h in enumerate(hypotheses)})
    second = _candidate({id(h): {"x" if n % 2 else "y": 1.0} for n, h in enumerate(hypotheses)})
    (alone,), (together,) = valued([first], labels, 0.0), valued([first, second], labels, 0.0)
    assert alone.gain == pytest.approx(0.92, abs=0.05)
    assert together.gain == pytest.approx(2 * alone.gain, abs=0.05)
    elsewhere = _candidate({id(h): {"x" if n % 2 else "y": 1.0} for n, h in enumerate(hypotheses)}, where="node/w1")
    assert len(valued([first, elsewhere], labels, 0.0)) == 2, "the same command on another host is another question"
