"""What the founding case must give, from the pasted post alone; and what must not change it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from kubereach.evidence.document import Document
from tests.properties.pasted_post import (
    FOUNDING,
    Report,
    by_class,
    command_of,
    documents_of,
    fingerprint,
    founding_post,
    parts,
    printed,
    renamed,
    renumbered,
    report,
    report_on,
    roots,
    texts,
    whole,
)

HOST_ROUTE = "10.99.8.20/32"
SESSION_LEADERS = ("ann-bgp-session-blocked", "ann-node-agent-down")
SESSION_FOLLOWERS = ("ann-bgp-wrong-source-address", "ann-bgp-rejected-by-peer", "router-import-policy")
CHAIN = {"ann-from-node-without-endpoint", "proxy-no-local-endpoint"}
# Every reason why the worker's host route does not get to the router, and the rest of the chain.
ACCEPTABLE = {
    *SESSION_LEADERS,
    *SESSION_FOLLOWERS,
    *CHAIN,
    "ann-bgp-session-auth",
    "ann-bgp-session-flapping",
    "ann-bgp-session-multihop",
    "ann-bgp-session-stale",
    "ann-bgp-two-speakers",
}
LATENT = {"fabric-no-pod-route", "return-asymmetric-stateful-firewall"}


def _observation(found: Report, says: str) -> Report:
    matching: list[Report] = [o for o in found["observations"] if says in o["says"]]
    assert matching, f"no observation says {says!r}"
    return matching[0]


# --- what the founding case must give ---


def test_the_verdict_and_the_flow() -> None:
    found = whole()
    assert found["verdict"] == "unreachable"
    assert found["target"] == {
        "service": "default/storefront",
        "address": "10.99.8.20",
        "port": 80,
        "protocol": "TCP",
        "from": "10.40.7.152",
    }
    assert found["residual"] < 0.05


def test_the_packet_enters_at_the_master_as_the_redirect_proves() -> None:
    redirect = _observation(whole(), "redirect from 10.40.7.1 to 10.40.7.11")
    assert "10.99.8.16/28 via 10.40.7.11" in redirect["means"]
    arrivals = [step for step in whole()["walk"]["forward"] if step["kind"] == "arrive"]
    assert [step["device"] for step in arrivals] == ["node/10.40.7.11"]
    assert "aggregate" in _observation(whole(), "the router has 10.99.8.16/28")["means"]


def test_untouched_ttls_mean_that_replies_bypass_the_router() -> None:
    means = _observation(whole(), "ttl=64")["means"]
    assert "bypasses the router" in means


def test_the_missing_host_route_is_nearly_certain_and_its_causes_split_it() -> None:
    effect = next(e for e in whole()["effects"] if HOST_ROUTE in e["says"] and "atlas-w1" in e["says"])
    assert effect["probability"] >= 0.9
    assert set(effect["causes"][:2]) == {"bgp-session-blocked", "announcing-agent-down"}
    assert any("no BGP session between atlas-w1" in e["says"] and e["probability"] >= 0.9 for e in whole()["effects"])


def test_blocked_session_and_dead_agent_lead_the_roots() -> None:
    found = roots(whole())
    first_two = sorted(found, key=lambda c: -found[c])[:2]
    assert set(first_two) == set(SESSION_LEADERS)
    followers = [found[c] for c in SESSION_FOLLOWERS if c in found]
    assert len(followers) >= 2
    assert max(followers) < min(found[c] for c in SESSION_LEADERS)
    others = {c: p for c, p in found.items() if c not in {*SESSION_LEADERS, *SESSION_FOLLOWERS}}
    assert all(p <= max(followers) for p in others.values())
    assert {c: p for c, p in others.items() if c not in ACCEPTABLE and p >= 0.05} == {}


def test_roots_that_exclude_each_other_share_at_most_the_whole() -> None:
    leader, *others = [c for c in whole()["causes"] if c["role"] == "root"]
    assert leader["alternative_of"] is None
    exclusive = [c["probability"] for c in others if c["alternative_of"]]
    assert exclusive
    assert {c["alternative_of"] for c in others} <= {leader["code"], None}
    assert leader["probability"] + sum(exclusive) <= 1.0


def test_the_router_s_import_policy_is_named_among_the_roots() -> None:
    assert 0.0 < roots(whole()).get("router-import-policy", 0.0) < min(roots(whole())[c] for c in SESSION_LEADERS)


def test_the_operator_s_awaited_node_supports_the_leaders() -> None:
    leaders = [c for c in whole()["causes"] if c["class"] in SESSION_LEADERS and c["role"] == "root"]
    assert len(leaders) == 2
    for cause in leaders:
        assert cause["subject"] == "node/atlas-w1"
        assert "awaiting 1 nodes" in texts(cause["because"], "says")


def test_the_rest_of_the_chain_contributes() -> None:
    contributing = {c["class"]: c for c in whole()["causes"] if c["role"] == "contributing"}
    assert set(contributing) >= CHAIN
    for name in CHAIN:
        assert contributing[name]["probability"] >= 0.9
    assert contributing["ann-from-node-without-endpoint"]["subject"] == "node/10.40.7.11"
    fallback = [s["says"] for s in whole()["walk"]["forward"] if s["kind"] == "translate"]
    assert "without translating the source (since 1.24)" in fallback[0]


def test_what_answers_is_the_master_and_says_nothing_of_the_service() -> None:
    ping = _observation(whole(), "ping 10.99.8.20: reply")
    assert "10.40.7.11" in ping["means"]
    assert "says nothing about the service" in ping["means"]
    for says in ("port 22 of 10.99.8.20: open", "the other ports"):
        assert "10.40.7.11 itself, not the service" in _observation(whole(), says)["means"]
    assert "expected: the address is routed" in _observation(whole(), "arping")["means"]


def test_the_filter_is_cleared() -> None:
    cleared = {c["code"]: c["because"] for c in whole()["cleared"]}
    assert "NotIn 10.99.8.16/28" in texts(cleared["calico-bgpfilter-rejects-service"], "says")
    assert "ann-bgp-export-filter" not in by_class(whole(), "root", "contributing", "latent")


def test_pod_routes_and_the_stateful_router_are_latent() -> None:
    assert by_class(whole(), "latent").keys() >= LATENT


def test_the_next_probes_are_the_three_that_separate_the_roots() -> None:
    found = whole()["next_probes"]
    commands = [probe["command"] for probe in found]
    for words in ("get pods -l k8s-app=calico-node", "show protocols all", "/routing bgp peer print status"):
        assert any(words in command for command in commands), (words, commands)
    assert all(probe["gain_bits"] > 0.1 and probe["risk"] == "none" for probe in found)
    assert all(1 <= len(probe["separates"]) <= 4 for probe in found)
    assert all({"bgp-session-blocked", "announcing-agent-down"} <= set(probe["separates"]) for probe in found)


def test_bringing_the_session_up_is_proved() -> None:
    for cause in whole()["causes"]:
        if cause["role"] == "root" and cause["class"] in ACCEPTABLE - CHAIN:
            assert [r["proved"] for r in cause["repairs"]] == [True], cause["code"]
            assert cause["repairs"][0]["clears"]


@pytest.mark.parametrize("words", ["externalTrafficPolicy to Cluster", "mesh on", "from announcing"])
def test_what_people_try_is_not_proved(words: str) -> None:
    tried = next(w for w in whole()["what_if"] if words in w["summary"])
    assert not tried["proved"]
    assert not tried["clears"]


def test_policy_cluster_helps_only_if_the_pool_has_a_tunnel() -> None:
    tried = next(w for w in whole()["what_if"] if "Cluster" in w["summary"])
    assert "VXLAN" in tried["condition"]


def test_mesh_alone_leaves_the_reply_untranslated_and_exclusion_takes_the_only_route() -> None:
    said = {w["summary"].split(",")[0]: texts([w], "side_effects") for w in whole()["what_if"]}
    mesh = next(text for summary, text in said.items() if "mesh" in summary)
    assert "the pod's own address" in mesh
    exclusion = next(text for summary, text in said.items() if "announcing" in summary)
    assert "no route to the address" in exclusion


def test_the_bundle_gives_what_the_post_gives() -> None:
    bundle = report(*documents_of(FOUNDING / "bundle"))
    assert bundle["verdict"] == "unreachable"
    assert bundle["unread"] == []
    ours, theirs = fingerprint(whole()), fingerprint(bundle)
    for key in {
        *ours,
        *theirs,
    }:  # what hardly anything speaks for may be listed in one and be too unlikely in the other
        assert ours.get(key, 0.0) == pytest.approx(theirs.get(key, 0.0), abs=0.05), key


@pytest.mark.parametrize("form", ["post", "bundle"])
def test_after_the_repair_it_is_reachable(form: str) -> None:
    folder = FOUNDING.parent / "founding-case-repaired"
    documents = (
        documents_of(folder / "bundle")
        if form == "bundle"
        else (Document("post.txt", (folder / "post.txt").read_bytes()),)
    )
    found = report(*documents)
    assert found["verdict"] == "reachable"
    assert all(p < 0.1 for p in roots(found).values())
    assert "fabric-no-pod-route" in by_class(found, "latent")


# --- what must not change it ---

_letters = st.text("bcdfghjklmnpqrstvwxz", min_size=4, max_size=9)
_octet = st.integers(1, 254)
# Private blocks that cannot meet: the nodes' LAN, the pool, the pods and the services. Pods keep out of 172.16.0.0/12:
# container engines take their own networks from there, which is a cause of its own.
_blocks = st.fixed_dictionaries(
    {
        "10.40.7.0/24": st.builds("192.168.{}.0/24".format, _octet),
        "10.99.8.16/28": st.builds(
            lambda a, b, c: f"10.{a}.{b}.{c * 16}/28", st.integers(1, 99), _octet, st.integers(0, 15)
        ),
        "10.244.0.0/16": st.builds("10.{}.0.0/16".format, st.integers(100, 254)),
        "10.108.0.0/16": st.builds("172.{}.0.0/16".format, st.integers(24, 31)),
    }
)
_names = st.lists(_letters, min_size=5, max_size=5, unique=True)
_numbers = st.lists(st.integers(64512, 65534), min_size=2, max_size=2, unique=True)


def _disguised(blocks: dict[str, str], names: list[str], numbers: list[int], order: list[int]) -> str:
    found = parts(founding_post())
    text = "".join([found[0], *(found[1:][index] for index in order)])
    words = dict(zip(NAMES, names, strict=True))
    words |= {"64700": str(numbers[0]), "64777": str(numbers[1])}
    return renamed(renumbered(text, blocks), words)


NAMES = ("atlas-w1", "storefront", "only-services", "edge-router", "office")
OUTPUTS = len(parts(founding_post())) - 1


# No shrinking: a diagnosis takes a moment, and a whole renamed post is as good a report as a small one.
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@example(
    blocks={
        "10.40.7.0/24": "192.168.1.0/24",
        "10.99.8.16/28": "10.20.1.0/28",
        "10.244.0.0/16": "10.200.0.0/16",
        "10.108.0.0/16": "172.31.0.0/16",
    },
    names=["node-b", "web", "pool", "peer", "lan"],
    numbers=[65000, 65001],
    order=list(range(OUTPUTS))[::-1],
)
@given(blocks=_blocks, names=_names, numbers=_numbers, order=st.permutations(range(OUTPUTS)))
def test_names_addresses_numbers_and_order_do_not_matter(
    blocks: dict[str, str], names: list[str], numbers: list[int], order: list[int]
) -> None:
    text = _disguised(blocks, names, numbers, order)
    for old in (*NAMES, "10.40.7.", "10.99.8.", "64700", "64777"):
        assert old not in text
    found = report_on(text)
    assert found["verdict"] == "unreachable"
    ours, theirs = fingerprint(whole()), fingerprint(found)
    assert ours.keys() == theirs.keys()
    assert {key: pytest.approx(p, abs=0.02) for key, p in ours.items()} == theirs


@pytest.mark.parametrize("left_out", range(OUTPUTS + 1))
def test_no_single_output_is_needed_to_keep_from_a_false_claim(left_out: int) -> None:
    kept = [part for number, part in enumerate(parts(founding_post())) if number != left_out]
    found = report_on("".join(kept))
    assert found["verdict"] != "reachable"
    false = {c: p for c, p in by_class(found, "root", "misread").items() if c not in ACCEPTABLE and p >= 0.7}
    assert false == {}, f"without {command_of(parts(founding_post())[left_out])}"


@pytest.mark.parametrize("kept", range(1, OUTPUTS + 1))
def test_one_output_alone_never_gives_a_false_claim(kept: int) -> None:
    part = parts(founding_post())[kept]
    found = report_on(part)
    assert found["verdict"] in {"unreachable", "undetermined"}, command_of(part)
    false = {c: p for c, p in by_class(found, "root", "misread").items() if c not in ACCEPTABLE and p >= 0.7}
    assert false == {}, command_of(part)


def test_pods_that_nobody_places_may_run_on_the_other_node() -> None:
    """The policy is Local and describe names no node: then another node's host route may be what is missing."""
    first, service = (FOUNDING / name for name in ("first.txt", "bundle/kubectl-describe-service-storefront.txt"))
    found = report(Document("post.txt", first.read_bytes()), Document(service.name, service.read_bytes()))
    assert found["verdict"] == "unreachable"
    assert found["residual"] < 0.05
    assert found["causes"][0]["code"] == "bgp-session-blocked"
    assert all(p < 0.7 for code, p in roots(found).items() if code not in ACCEPTABLE)


# --- a contradiction, and how it is resolved ---

CURL_FROM_MASTER = b'- {probe: http, from: master, to: "10.99.8.20:80", result: reply}\n'


def test_curl_from_the_master_contradicts_the_shown_encapsulation() -> None:
    found = report_on(founding_post(), Document("observed.yaml", CURL_FROM_MASTER))
    said = [c for c in found["contradictions"] if "encapsulation" in c["expected"].lower()]
    assert len(said) == 1
    assert "none" in said[0]["expected"].lower()
    assert "VXLAN" in said[0]["reconciliation"]
    assert "IPIP" in said[0]["reconciliation"]
    assert "kubectl get ippools -o yaml" in said[0]["reconciliation"]
    assert any("installation" in o or "post.txt:" in o for o in said[0]["origins"])
    assert found["verdict"] == "unreachable"
    assert set(sorted(roots(found), key=lambda c: -roots(found)[c])[:2]) == set(SESSION_LEADERS)


def test_without_that_claim_the_encapsulation_is_not_contradicted() -> None:
    assert [c for c in whole()["contradictions"] if "encapsulation" in c["expected"].lower()] == []


# --- the same input gives the same bytes ---


def test_the_order_of_files_does_not_matter() -> None:
    documents = documents_of(FOUNDING / "bundle")
    assert printed(*documents) == printed(*reversed(documents)) == printed(*documents[5:], *documents[:5])


def test_the_same_text_gives_the_same_bytes() -> None:
    post = Document("post.txt", founding_post().encode())
    assert printed(post) == printed(post)
    assert json.loads(printed(post)) == whole()


def test_the_example_is_of_our_own_making() -> None:
    """The bundle's outputs are those of the post, so that nothing is tested that a reader cannot see."""
    text = founding_post()
    for path in sorted((FOUNDING / "bundle").iterdir()):
        if path.suffix == ".txt":
            content = Path(path).read_text(encoding="utf-8").strip("\n")
            assert content in text, path.name
