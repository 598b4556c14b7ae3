"""Who attracts the traffic: Calico's and MetalLB's own rules, the router's choice, and ARP."""

from __future__ import annotations

from hashlib import sha256

import pytest

from kubereach.model import attribute as a
from kubereach.model.attribute import FilterRule, Peer
from kubereach.simulate.announced import EXCLUDE_LABEL, Announced, announced
from kubereach.simulate.announcers.calico_bgp import passes
from kubereach.simulate.arp import responders
from kubereach.simulate.bgp import best, received
from kubereach.simulate.world import World
from tests.diagnose.small_network import ASH, ELM, HOST, NODES, OAK, POOL, SERVICE, VIP, Leaf, world

Route = tuple[str, str]


def _calico(
    *leaves: Leaf, policy: str = "Local", mesh: bool = False, cidr: str = POOL, pods: tuple[str, ...] = (OAK,)
) -> World:
    return world(
        ("cluster", a.LB_CIDRS, (cidr,)),
        ("cluster", a.MESH, mesh),
        (SERVICE, a.POLICY, policy),
        *leaves,
        announcer="calico-bgp",
        pods=pods,
    )


def _routes(where: World) -> set[Route]:
    return {(r.node, r.prefix) for r in announced(where, SERVICE, VIP).routes}


def _label(node: str, value: str) -> Leaf:
    return (node, a.LABELS, ((EXCLUDE_LABEL, value),))


EVERY_AGGREGATE = {(node, POOL) for node in NODES}

# --- Calico ---


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_calico_announces_the_range_from_every_node_whatever_the_endpoints(policy: str) -> None:
    assert _routes(_calico(policy=policy, pods=())) == EVERY_AGGREGATE


def test_calico_adds_the_host_route_where_a_pod_runs_under_policy_local() -> None:
    assert _routes(_calico()) == {*EVERY_AGGREGATE, (OAK, HOST)}
    assert _routes(_calico(pods=(ELM, OAK))) == {*EVERY_AGGREGATE, (OAK, HOST), (ELM, HOST)}


def test_calico_announces_nothing_specific_under_policy_cluster() -> None:
    assert _routes(_calico(policy="Cluster")) == EVERY_AGGREGATE


def test_a_range_of_one_address_is_never_an_aggregate() -> None:
    assert _routes(_calico(policy="Cluster", cidr=HOST)) == {(node, HOST) for node in NODES}
    assert _routes(_calico(policy="Local", cidr=HOST)) == {(OAK, HOST)}
    assert _routes(_calico(policy="Local", cidr=HOST, pods=())) == set()


def test_calico_announces_nothing_outside_its_ranges() -> None:
    assert _routes(_calico(cidr="192.0.2.0/24")) == set()


@pytest.mark.parametrize(("value", "silent"), [("true", True), ("", False), ("false", False)])
def test_calico_heeds_the_exclusion_label_only_with_the_value_true(value: str, silent: bool) -> None:  # noqa: FBT001
    assert ((ASH, POOL) not in _routes(_calico(_label(ASH, value)))) is silent
    assert ((OAK, HOST) not in _routes(_calico(_label(OAK, value)))) is silent


def test_with_the_mesh_every_node_passes_host_routes_on_unless_next_hops_are_kept() -> None:
    """Only to a peer with another AS number: routes learned over iBGP are not passed on over iBGP."""

    def peered(asn: int, *, keep: bool = False, mesh: bool = True) -> bool:
        peer = ("cluster", a.PEERS, (Peer("192.0.2.1", asn=asn, keep_next_hop=keep),))
        own = ("cluster", a.CLUSTER_AS, 64512)
        return {(ASH, HOST), (ELM, HOST)} <= _routes(_calico(peer, own, mesh=mesh))

    assert peered(64900)
    assert not peered(64900, keep=True)
    assert not peered(64900, mesh=False)
    assert not peered(64512)


@pytest.mark.parametrize(
    ("operator", "cidr", "host", "aggregate"),
    [
        ("In", POOL, False, False),
        ("NotIn", POOL, True, True),
        ("Equal", POOL, True, False),
        ("NotEqual", POOL, False, True),
        ("Equal", HOST, False, True),
        ("NotIn", HOST, True, False),
        ("NotIn", "203.0.113.0/24", True, True),
        ("In", "192.0.2.0/24", True, True),
        ("", "", False, False),
    ],
)
def test_what_a_rejecting_filter_lets_out(operator: str, cidr: str, host: bool, aggregate: bool) -> None:  # noqa: FBT001
    rules = (FilterRule("Reject", cidr, operator),)
    assert (passes(rules, HOST), passes(rules, POOL)) == (host, aggregate)
    sent = _routes(_calico(("cluster", a.EXPORT_FILTERS, rules)))
    assert ((OAK, HOST) in sent, (OAK, POOL) in sent) == (host, aggregate)


def test_the_first_rule_that_matches_decides() -> None:
    accept, reject = FilterRule("Accept", POOL, "In"), FilterRule("Reject")
    assert passes((accept, reject), HOST)
    assert not passes((reject, accept), HOST)
    assert passes((), HOST)


def test_a_rule_on_prefix_lengths_tells_host_routes_from_ranges() -> None:
    rule = FilterRule("Reject", POOL, "In", minimum=32, maximum=32)
    assert (passes((rule,), HOST), passes((rule,), POOL)) == (False, True)


def test_a_rule_for_routes_of_remote_peers_spares_a_node_s_own() -> None:
    assert passes((FilterRule("Reject", source="RemotePeers"),), HOST)


def test_it_is_the_same_with_ipv6() -> None:
    address, pool = "2001:db8:70::20", "2001:db8:70::/112"
    where = world(
        ("cluster", a.LB_CIDRS, (pool,)),
        (SERVICE, a.POLICY, "Local"),
        announcer="calico-bgp",
        address=address,
    )
    said = {(r.node, r.prefix) for r in announced(where, SERVICE, address).routes}
    assert said == {*((node, pool) for node in NODES), (OAK, f"{address}/128")}
    assert [r.node for r in best(where, SERVICE, address)] == [OAK]
    assert not passes((FilterRule("Reject", pool, "In"),), f"{address}/128")
    assert passes((FilterRule("Reject", pool, "NotIn"),), f"{address}/128")


# --- MetalLB ---


def _metallb(kind: str, *leaves: Leaf, policy: str = "Cluster", pods: tuple[str, ...] = (OAK,)) -> Announced:
    where = world((SERVICE, a.POLICY, policy), *leaves, announcer=f"metallb-{kind}", pods=pods)
    return announced(where, SERVICE, VIP)


def _leader(*nodes: str) -> tuple[str]:
    """The node with the smallest hash of its name and the address."""
    return (min(nodes, key=lambda n: sha256(f"{n.removeprefix('node/')}#{VIP}".encode()).digest()),)


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_without_an_advertisement_nobody_speaks(policy: str) -> None:
    assert _metallb("l2", ("cluster", a.L2_POOLS, ()), policy=policy).layer2 == ()
    assert _metallb("bgp", ("cluster", a.BGP_POOLS, ()), policy=policy).routes == ()
    assert _metallb("l2", ("cluster", a.NO_ADVERTISEMENT, True), policy=policy).layer2 == ()


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_without_endpoints_nobody_speaks(policy: str) -> None:
    assert _metallb("l2", policy=policy, pods=()).layer2 == ()
    assert _metallb("bgp", policy=policy, pods=()).routes == ()


def test_layer_2_elects_one_node_by_hash() -> None:
    assert _metallb("l2").layer2 == _leader(*NODES)
    assert _metallb("l2", policy="Local", pods=(ASH, ELM)).layer2 == _leader(ASH, ELM)
    assert _metallb("l2", policy="Local", pods=(ELM,)).layer2 == (ELM,)


def test_bgp_speaks_from_all_nodes_or_from_those_with_the_pod() -> None:
    assert {(r.node, r.prefix) for r in _metallb("bgp").routes} == {(node, HOST) for node in NODES}
    assert {r.node for r in _metallb("bgp", policy="Local", pods=(ASH, OAK)).routes} == {ASH, OAK}


@pytest.mark.parametrize("value", ["", "true", "false"])
def test_metallb_heeds_the_exclusion_label_whatever_its_value(value: str) -> None:
    (elected,) = _leader(*NODES)
    left = [node for node in NODES if node != elected]
    assert _metallb("l2", _label(elected, value)).layer2 == _leader(*left)
    assert elected not in {r.node for r in _metallb("bgp", _label(elected, value)).routes}


def test_a_service_without_an_address_is_announced_by_nobody() -> None:
    pending = (SERVICE, a.ALLOCATION_FAULT, "exhausted")
    assert _metallb("l2", pending).layer2 == ()
    assert _metallb("bgp", pending).routes == ()


# --- the router ---


def test_the_longest_prefix_wins() -> None:
    assert [(r.node, r.prefix) for r in best(_calico(), SERVICE, VIP)] == [(OAK, HOST)]


def test_without_the_pod_s_session_the_aggregates_of_the_others_attract() -> None:
    found = best(_calico((OAK, a.SESSION_FAULT, "blocked")), SERVICE, VIP)
    assert {(r.node, r.prefix) for r in found} == {(ASH, POOL), (ELM, POOL)}


@pytest.mark.parametrize(
    ("policy", "prefixes"), [("accept", {HOST, POOL}), ("aggregates-only", {POOL}), ("none", set())]
)
def test_the_import_policy_decides_what_is_taken(policy: str, prefixes: set[str]) -> None:
    found = received(_calico(("router", a.IMPORT_POLICY, policy)), SERVICE, VIP)
    assert {r.prefix for r in found} == prefixes


def test_a_static_route_wins_over_bgp_at_the_same_length_and_loses_to_a_longer_one() -> None:
    same = _calico(("router", a.STATIC_ROUTES, ((HOST, ASH),)))
    shorter = _calico(("router", a.STATIC_ROUTES, ((POOL, ASH),)))
    assert [(r.node, r.static) for r in best(same, SERVICE, VIP)] == [(ASH, True)]
    assert [(r.node, r.static) for r in best(shorter, SERVICE, VIP)] == [(OAK, False)]


# --- ARP and NDP ---


def _layer2(*leaves: Leaf, address: str = VIP) -> tuple[str, ...]:
    where = world(*leaves, announcer="metallb-l2", address=address)
    return responders(where, SERVICE, address)


def test_one_announcer_answers() -> None:
    assert _layer2() == _leader(*NODES)


def test_ipvs_without_strict_arp_answers_from_every_node() -> None:
    ipvs = ("cluster", a.PROXY_MODE, "ipvs")
    assert set(_layer2(ipvs, ("cluster", a.STRICT_ARP, False))) == set(NODES)
    assert _layer2(ipvs, ("cluster", a.STRICT_ARP, True)) == _leader(*NODES)
    assert _layer2(("cluster", a.PROXY_MODE, "iptables"), ("cluster", a.STRICT_ARP, False)) == _leader(*NODES)


def test_kernels_do_not_answer_ndp_for_it() -> None:
    ipvs = (("cluster", a.PROXY_MODE, "ipvs"), ("cluster", a.STRICT_ARP, False))
    assert len(_layer2(*ipvs, address="2001:db8::20")) == 1


@pytest.mark.parametrize("leaf", [a.ARP_LOST, a.ANTISPOOF])
def test_requests_that_do_not_arrive_stay_unanswered(leaf: a.Attribute[bool]) -> None:
    assert _layer2(("cluster", leaf, True)) == ()
