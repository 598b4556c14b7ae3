"""Attempts that one step decides count once; what both works and fails comes and goes."""

from __future__ import annotations

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.probes import connect
from kubereach.probes.question import Sighting

SERVICE = """NAME   TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)        AGE
web    LoadBalancer   10.97.30.4   10.88.14.9    80:30917/TCP   7d
"""


def _seen(*outcomes: tuple[str, str]) -> list[Sighting]:
    """What the client's probes of a kind, each with a result, amount to."""
    tried = [f'- {{probe: {p}, from: 10.31.40.15, to: "10.88.14.9:80", result: {r}}}\n' for p, r in outcomes]
    documents = (
        Document("kubectl-get-svc.txt", SERVICE.encode()),
        Document("observed.yaml", "".join(tried).encode()),
    )
    return list(connect.sightings(build(read_evidence(documents).facts)))


def test_no_handshake_means_no_data() -> None:
    (only,) = _seen(("http", "timeout"), ("tcp", "timeout"))
    assert only.question.about == ("handshake",)
    assert (set(only.answers), len(only.origins)) == ({"timeout"}, 2)


def test_data_means_a_handshake() -> None:
    (only,) = _seen(("tcp", "open"), ("http", "reply"))
    assert only.question.about == ("data",)
    assert set(only.answers) == {"reply"}


def test_a_vaguer_word_for_the_same_counts_once() -> None:
    (only,) = _seen(("tcp", "filtered"), ("tcp", "timeout"))
    assert only.answers == {"timeout"}


def test_a_handshake_without_data_is_two_outcomes() -> None:
    found = {s.question.about: set(s.answers) for s in _seen(("tcp", "open"), ("http", "timeout"))}
    assert found == {("handshake",): {"reply", "error", "nameless"}, ("data",): {"timeout"}}


def test_data_once_and_no_handshake_once_come_and_go() -> None:
    (only,) = _seen(("http", "reply"), ("tcp", "timeout"))
    assert only.answers == {"mixed", "intermittent"}
