from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.readers.goldens import capture_of, cases, misplaced, read

from kubereach.evidence.capture import Capture
from kubereach.evidence.kubernetes.command import parse_command
from kubereach.evidence.kubernetes.fields import field_of, known_fields, label_of
from kubereach.evidence.kubernetes.kinds import kind_of, kind_or_guess
from kubereach.evidence.kubernetes.paths import join
from kubereach.model.fact import ObjectLeaf, ObjectListing

READERS = ("kubectl_table", "kubectl_describe", "kubectl_version", "kube_manifest", "observed", "stated")
COMMANDS = ("", "kubectl get svc -A", "kubectl get pods -o yaml", "kubectl describe bgppeer", "kubectl get", "|")
WORDS = st.sampled_from(
    "Name: Namespace: Labels: Events: Spec: Data ==== NAME TYPE CLUSTER-IP AGE 1d - { } [ ] : | &a *a --- x Port: "
    "Endpoints: <none> 10.0.0.1:80 + \t \x00 ロード ' \" spec: a=b kind:·Service apiVersion:·v1 ·· ···· +·1·more... :·"
    "".replace("·", "\xa0").split(" ")
).map(lambda word: word.replace("\xa0", " "))
LINES = st.lists(st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=8).map(" ".join)), max_size=30)


def capture(*lines: str, command: str = "") -> Capture:
    return Capture(source="post.txt", lines=lines, command=command)


def leaves(reader: str, *lines: str, command: str = "") -> dict[str, object]:
    facts = read(reader, capture(*lines, command=command)).facts
    return {fact.path: fact.value for fact in facts if isinstance(fact, ObjectLeaf)}


@pytest.mark.parametrize("reader", READERS)
@given(lines=LINES, command=st.sampled_from(COMMANDS))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_without_an_error(reader: str, lines: list[str], command: str) -> None:
    whole = capture(*lines, command=command)
    reading = read(reader, whole)
    assert not misplaced(reading, whole)
    msgspec.json.encode(reading.facts)


@pytest.mark.parametrize("reader", READERS)
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_damaged_output_is_read_without_an_error(reader: str, data: st.DataObject) -> None:
    whole = capture_of(data.draw(st.sampled_from(cases(reader))))
    lines = list(whole.lines)
    for _ in range(data.draw(st.integers(1, 6))):
        index = data.draw(st.integers(0, len(lines) - 1))
        at = data.draw(st.integers(0, len(lines[index])))
        damage = data.draw(st.one_of(WORDS, st.text(max_size=3)))
        lines[index] = lines[index][:at] + damage + lines[index][at + data.draw(st.integers(0, 3)) :]
    damaged = msgspec.structs.replace(whole, lines=tuple(lines))
    reading = read(reader, damaged)
    assert not misplaced(reading, damaged)
    msgspec.json.encode(reading.facts)


@pytest.mark.parametrize("reader", READERS)
def test_prose_is_left_to_the_others(reader: str) -> None:
    prose = ("The service answers from the nodes:", "but not from my laptop", "NAME it as you like", "Note: it worked.")
    reading = read(reader, capture(*prose))
    assert reading.facts == ()
    assert reading.unread == ((0, len(prose)),)


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_takes_another_readers_output(reader: str) -> None:
    for path in cases():
        if path.parent.name not in READERS or path.parent.name == reader:
            continue
        foreign = msgspec.structs.replace(capture_of(path), command="")
        facts = [fact for fact in read(reader, foreign).facts if not isinstance(fact, ObjectListing)]
        assert facts == [], f"{reader} took {path.name}"


@pytest.mark.parametrize("path", cases("kubectl_table"), ids=lambda path: path.stem)
def test_an_indented_table_says_the_same(path: Path) -> None:
    plain = capture_of(path)
    indented = msgspec.structs.replace(plain, lines=tuple(f"    {line}" for line in plain.lines))
    assert read("kubectl_table", indented).facts == read("kubectl_table", plain).facts


def test_hostile_yaml_is_refused() -> None:
    bomb = ["apiVersion: v1", "kind: ConfigMap", "metadata: {name: bomb}", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    reading = read("kube_manifest", capture(*bomb))
    assert reading.facts == ()
    assert reading.unread == ((0, len(bomb)),)
    for deep in ("[" * 100_000, "- " * 100_000, "{a: " * 100_000, "? " * 50_000):
        assert read("kube_manifest", capture("apiVersion: v1", "kind: Service", f"spec: {deep}")).facts == ()
    cycle = read("kube_manifest", capture("apiVersion: v1", "kind: Service", "spec: &a", "  b: *a"))
    assert cycle.facts == ()


def test_no_secret_comes_out() -> None:
    for path in cases(*READERS):
        reading = read(path.parent.name, capture_of(path))
        assert not re.search(rb"hunter2|aHVudGVyMg|c2VjcmV0", msgspec.json.encode(reading.facts)), path


def test_labels_are_kubectls_own_and_lead_back() -> None:
    assert label_of("serviceLoadBalancerIPs") == "Service Load Balancer I Ps"
    assert label_of("disableBGPExport") == "Disable BGP Export"
    assert label_of("nodeAddressAutodetectionV4") == "nodeAddressAutodetectionV4"
    assert label_of("eBGPMultihopTTL") == "E BGP Multihop TTL"
    assert label_of("apiVersion") == "API Version"
    assert label_of("uid") == "UID"
    for field in known_fields():
        assert field_of(label_of(field)) == field


def test_unknown_labels_are_guessed() -> None:
    assert field_of("Some New Field") == "someNewField"
    assert field_of("Extra I Ps") == "extraIPs"
    assert field_of("App", "matchLabels") == "app"
    assert field_of("newV4") == "newV4"


def test_a_command_is_taken_apart() -> None:
    command = parse_command("kubectl --context home -n shop get svc,pods -l 'app=front' --show-labels | grep front")
    assert [kind.name for kind in command.kinds] == ["Service", "Pod"]
    assert (command.namespace, command.selector, command.filtered) == ("shop", "app=front", True)
    assert parse_command("kubectl get pods -A").namespace is None
    assert parse_command("kubectl get svc/front").names == ("front",)
    assert parse_command("k get -nshop po -oyaml").output == "yaml"
    assert parse_command("ls -l").verb == ""


def test_words_for_kinds() -> None:
    assert {word: kind.name for word in ("svc", "ep", "no", "ds") if (kind := kind_of(word))} == {
        "svc": "Service",
        "ep": "Endpoints",
        "no": "Node",
        "ds": "DaemonSet",
    }
    metallb, calico = kind_of("bgppeers.metallb.io"), kind_of("bgppeers.crd.projectcalico.org")
    assert metallb is not None
    assert calico is not None
    assert (metallb.group, metallb.namespaced) == ("metallb.io", True)
    assert (calico.group, calico.namespaced) == ("projectcalico.org", False)
    guess = kind_or_guess("frobnicators.example.org")
    assert guess is not None
    assert (guess.name, guess.group) == ("Frobnicator", "example.org")


def test_keys_with_dots_are_quoted() -> None:
    assert join("metadata.labels", "app") == "metadata.labels.app"
    assert join("metadata.labels", "a.b/c") == 'metadata.labels["a.b/c"]'
    assert join("data", 'a"b') == 'data["a\\"b"]'


def test_a_pending_service_says_so() -> None:
    found = leaves(
        "kubectl_table",
        "NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE",
        "a  LoadBalancer  10.0.0.9  <pending>  80:30001/TCP  2m",
    )
    assert found["status.loadBalancer.ingress"] is None
    assert "status.loadBalancer.ingress" in found


@pytest.mark.parametrize(
    ("command", "complete"),
    [
        ("kubectl get svc", True),
        ("kubectl get svc -l app=x", True),
        ("kubectl get svc a", False),
        ("kubectl get svc | grep a", False),
        ("kubectl get svc --field-selector metadata.name=a", False),
        ("", False),
    ],
)
def test_a_listing_closes_its_scope_only_when_the_command_does(command: str, complete: bool) -> None:  # noqa: FBT001
    table = ("NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE", "a  ClusterIP  10.0.0.9  <none>  80/TCP  2m")
    facts = read("kubectl_table", capture(*table, command=command)).facts
    assert [fact.complete for fact in facts if isinstance(fact, ObjectListing)] == [complete]


def complete(reader: str, whole: Capture) -> bool:
    return any(fact.complete for fact in read(reader, whole).facts if isinstance(fact, ObjectListing))


@pytest.mark.parametrize("path", cases(*READERS[:4]), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_listing_with_a_hole_is_not_complete(path: Path) -> None:
    whole = capture_of(path)
    if not complete(path.parent.name, whole):
        return
    names = [fact for fact in read(path.parent.name, whole).facts if isinstance(fact, ObjectLeaf)]
    for line in {
        fact.origin.first for fact in names if fact.kind != "Event" and fact.path in {"metadata.name", "spec.type"}
    }:
        at = line - whole.first
        mangled = (*whole.lines[:at], "\u00a7 " * 9 + whole.lines[at], *whole.lines[at + 1 :])
        assert not complete(path.parent.name, msgspec.structs.replace(whole, lines=mangled)), whole.lines[at]


def test_a_list_cut_short_is_not_complete() -> None:
    whole = capture_of(next(path for path in cases("kube_manifest") if path.stem == "service-list"))
    assert complete("kube_manifest", whole)
    for length in range(len(whole.lines) - 3):
        assert not complete("kube_manifest", msgspec.structs.replace(whole, lines=whole.lines[:length]))
