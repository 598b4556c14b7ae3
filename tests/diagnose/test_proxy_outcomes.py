"""What becomes of a packet at the node it enters: kube-proxy's modes, versions and policies.

Each row is a rule of kube-proxy: which packets it translates, refuses or drops, seen from outside, from the node
itself, and from a pod on it.
"""

from __future__ import annotations

import pytest

from kubereach.model import attribute as a
from kubereach.simulate.proxy import Treatment, treat
from kubereach.simulate.walk import Fate
from kubereach.simulate.world import World
from tests.diagnose.small_network import (
    ASH,
    OAK,
    PORT,
    SERVICE,
    VIP,
    endpoints,
    only,
    proxied,
    sent,
    via,
    world,
)

RULES = ("iptables", "nftables")
FROM_POD = "pod/default/probe"


def _outside(where: World) -> Fate:
    return only(sent(where))


# --- iptables and nftables: the address belongs to nobody, rules catch the service's port alone ---


@pytest.mark.parametrize("mode", RULES)
@pytest.mark.parametrize("entry", [ASH, OAK])
def test_policy_cluster_delivers_from_any_node_with_the_source_translated(mode: str, entry: str) -> None:
    where = proxied(mode, 28, "Cluster", via(entry))
    assert _outside(where) is Fate.DELIVERED
    treated = treat(where, SERVICE, VIP, PORT, entry, "outside")
    assert (treated.kind, treated.masquerade, treated.endpoints) == (Treatment.TRANSLATED, True, endpoints(OAK))


@pytest.mark.parametrize("mode", RULES)
@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_without_any_endpoint_the_connection_is_refused(mode: str, policy: str) -> None:
    assert _outside(proxied(mode, 28, policy, via(ASH), pods=())) is Fate.REFUSED


@pytest.mark.parametrize("mode", RULES)
def test_policy_local_keeps_the_source_where_the_pod_is(mode: str) -> None:
    where = proxied(mode, 28, "Local", via(OAK))
    treated = treat(where, SERVICE, VIP, PORT, OAK, "outside")
    assert (treated.kind, treated.masquerade) == (Treatment.TRANSLATED, False)
    assert _outside(where) is Fate.DELIVERED


@pytest.mark.parametrize("mode", RULES)
def test_policy_local_drops_silently_where_no_pod_is(mode: str) -> None:
    assert _outside(proxied(mode, 28, "Local", via(ASH))) is Fate.LOST


@pytest.mark.parametrize("mode", RULES)
@pytest.mark.parametrize("source", [ASH, OAK, FROM_POD])
def test_inside_the_cluster_policy_local_does_not_bind(mode: str, source: str) -> None:
    assert only(sent(proxied(mode, 34, "Local"), source)) is Fate.DELIVERED


@pytest.mark.parametrize("mode", RULES)
@pytest.mark.parametrize("port", [None, 22, 179])
def test_ping_and_other_ports_go_round_in_circles(mode: str, port: int | None) -> None:
    assert only(sent(proxied(mode, 28, "Cluster", via(ASH)), port=port)) is Fate.LOOPS


# --- IPVS: the address is bound on every node ---


@pytest.mark.parametrize("source", ["client", ASH, FROM_POD])
def test_ipvs_policy_cluster_works_from_everywhere(source: str) -> None:
    assert only(sent(proxied("ipvs", 25, "Cluster", via(ASH)), source)) is Fate.DELIVERED


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
@pytest.mark.parametrize("source", ["client", ASH, FROM_POD])
def test_an_empty_virtual_server_refuses(policy: str, source: str) -> None:
    assert only(sent(proxied("ipvs", 25, policy, via(ASH), pods=()), source)) is Fate.REFUSED


@pytest.mark.parametrize("source", ["client", OAK])
@pytest.mark.parametrize("minor", [23, 24, 28])
def test_ipvs_policy_local_works_where_the_pod_is(source: str, minor: int) -> None:
    assert only(sent(proxied("ipvs", minor, "Local", via(OAK)), source)) is Fate.DELIVERED


@pytest.mark.parametrize("source", ["client", ASH])
def test_before_1_24_a_node_without_the_pod_refuses(source: str) -> None:
    assert only(sent(proxied("ipvs", 23, "Local", via(ASH)), source)) is Fate.REFUSED


@pytest.mark.parametrize("minor", [24, 25, 30])
def test_since_1_24_a_node_without_the_pod_forwards_and_the_reply_is_useless(minor: int) -> None:
    where = proxied("ipvs", minor, "Local", via(ASH))
    treated = treat(where, SERVICE, VIP, PORT, ASH, "outside")
    assert (treated.kind, treated.masquerade, treated.endpoints) == (Treatment.TRANSLATED, False, endpoints(OAK))
    found = sent(where)
    assert only(found) is Fate.LOST
    assert "the pod's own address" in found.branches[0].why


def test_the_fallback_fails_from_the_node_itself_unless_a_tunnel_rewrites_the_source() -> None:
    plain = proxied("ipvs", 25, "Local", ("cluster", a.ENCAPSULATION, "none"), ("cluster", a.MESH, True))
    tunnel = proxied("ipvs", 25, "Local", ("cluster", a.ENCAPSULATION, "vxlan"), ("cluster", a.CNI, "calico"))
    assert only(sent(plain, ASH)) is Fate.LOST
    assert only(sent(tunnel, ASH)) is Fate.DELIVERED


def test_the_fallback_works_from_a_pod() -> None:
    assert only(sent(proxied("ipvs", 25, "Local"), FROM_POD)) is Fate.DELIVERED


@pytest.mark.parametrize("minor", [22, 24, 25])
@pytest.mark.parametrize("port", [None, 22, 179])
def test_until_1_25_the_node_s_own_stack_answers_on_the_address(minor: int, port: int | None) -> None:
    found = sent(proxied("ipvs", minor, "Local", via(ASH)), port=port)
    assert only(found) is Fate.HOST
    assert found.branches[0].entry == ASH


@pytest.mark.parametrize("minor", [26, 28, 31])
@pytest.mark.parametrize("port", [None, 22, 179])
def test_since_1_26_only_service_ports_pass(minor: int, port: int | None) -> None:
    assert only(sent(proxied("ipvs", minor, "Local", via(ASH)), port=port)) is Fate.REFUSED


# --- between the nodes, and back ---


def test_mesh_off_without_a_tunnel_loses_what_must_go_to_another_node() -> None:
    leaves = (("cluster", a.MESH, False), ("cluster", a.ENCAPSULATION, "none"))
    assert only(sent(proxied("iptables", 28, "Cluster", via(ASH), *leaves))) is Fate.LOST
    assert only(sent(proxied("iptables", 28, "Cluster", via(OAK), *leaves))) is Fate.DELIVERED


@pytest.mark.parametrize(("strict", "fate"), [(True, Fate.STALLS), (False, Fate.DELIVERED)])
def test_a_stateful_router_on_a_shared_segment_lets_connections_open_and_stall(strict: bool, fate: Fate) -> None:  # noqa: FBT001
    leaves = (("client", a.SHARED_LAN, True), ("router", a.DROPS_INVALID, strict))
    found = sent(proxied("iptables", 28, "Local", via(OAK), *leaves))
    assert only(found) is fate
    assert found.branches[0].direct


def test_source_ranges_admit_only_who_lies_in_them() -> None:
    client = ("client", a.ADDRESS, "198.51.100.9")
    for ranges, fate in ((("198.51.100.0/24",), Fate.DELIVERED), (("192.0.2.0/24",), Fate.LOST)):
        where = proxied("iptables", 28, "Local", via(OAK), client, (SERVICE, a.SOURCE_RANGES, ranges))
        assert _outside(where) is fate


def test_two_equal_routes_of_which_one_fails_make_it_intermittent() -> None:
    where = world(
        (SERVICE, a.POLICY, "Local"),
        ("router", a.MULTIPATH, True),
        ("router", a.STATIC_ROUTES, ((f"{VIP}/32", ASH), (f"{VIP}/32", OAK))),
    )
    found = sent(where)
    assert found.together
    assert found.share(Fate.DELIVERED) == pytest.approx(0.5)
    assert not found.works()
