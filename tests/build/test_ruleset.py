"""What shown rules make of a packet: decided where they decide, and every possible verdict where they do not."""

from __future__ import annotations

import pytest

from kubereach.build.ruleset import Chains, Probe, iptables_rule, matches, nft_rule

POD = Probe(source="10.60.1.77", destination="10.244.7.31", port=8080)


def _chains(policy: str, *forward: str, **others: tuple[str, ...]) -> Chains:
    rules = {"FORWARD": tuple(map(iptables_rule, forward))}
    rules |= {name.replace("_", "-"): tuple(map(iptables_rule, texts)) for name, texts in others.items()}
    return Chains(rules, {"FORWARD": policy})


def test_the_policy_holds_where_no_rule_matches() -> None:
    assert _chains("drop", "-i docker0 -j ACCEPT", "-s 192.168.0.0/16 -j ACCEPT").verdict("FORWARD", POD) == {"drop"}


def test_a_rule_for_the_pod_network_accepts() -> None:
    assert _chains("drop", "-d 10.244.0.0/16 -j ACCEPT").verdict("FORWARD", POD) == {"accept"}


def test_a_chain_that_was_not_shown_leaves_both_open() -> None:
    assert _chains("drop", "-j cali-FORWARD").verdict("FORWARD", POD) == {"accept", "drop"}


def test_a_set_whose_members_nobody_saw_leaves_both_open() -> None:
    chains = _chains("accept", "-m set --match-set blocked src -j DROP")
    assert chains.verdict("FORWARD", POD) == {"accept", "drop"}


def test_return_goes_back_to_the_calling_chain() -> None:
    chains = _chains("drop", "-j GUARD", "-j ACCEPT", GUARD=("-d 10.244.0.0/16 -j RETURN", "-j DROP"))
    assert chains.verdict("FORWARD", POD) == {"accept"}


def test_kube_proxy_accepts_what_it_masquerades() -> None:
    chains = _chains("drop", '-m comment --comment "kubernetes rules" -m mark --mark 0x4000/0x4000 -j ACCEPT')
    marked = Probe(destination="10.244.7.31", marked=True)
    assert chains.verdict("FORWARD", marked) == {"accept"}
    assert chains.verdict("FORWARD", POD) == {"drop"}


def test_chains_that_jump_in_circles_end() -> None:
    chains = _chains("drop", "-j ONE", ONE=("-j TWO",), TWO=("-j ONE",))
    assert "drop" in chains.verdict("FORWARD", POD)


@pytest.mark.parametrize(
    ("text", "target", "conditions"),
    [
        ("tcp dport { 22, 179 } accept", "ACCEPT", "tcp dport { 22, 179 }"),
        ("reject with icmpx admin-prohibited", "REJECT", ""),
        ("jump filter_FORWARD_ZONES", "filter_FORWARD_ZONES", ""),
        ('log prefix "no " drop', "DROP", ""),
    ],
)
def test_a_rule_of_nft(text: str, target: str, conditions: str) -> None:
    rule = nft_rule(text)
    assert (rule.target, rule.text) == (target, conditions)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("tcp dport { 22, 179 }", False),
        ("ct state established,related", False),
        ('iifname "lo"', False),
        ('iifname "eth1"', None),
    ],
)
def test_conditions_of_nft(text: str, answer: bool | None) -> None:  # noqa: FBT001  # a parameter of the table above
    assert matches(text, POD) is answer
