"""What the lab's announcers and routers are configured with, without any namespace."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from kubereach.lab import scenario
from kubereach.lab.announcers import calico_bgp, kube_vip_arp, metallb_bgp, metallb_l2
from kubereach.lab.arp_responder import FRAME, answer, gratuitous
from kubereach.lab.lab import Lab, State
from kubereach.lab.peering import next_hops, sessions
from kubereach.lab.routers import bird as bird_router
from kubereach.lab.routers import frr as frr_router
from kubereach.lab.scenario import Announcer, Scenario
from tests.conftest import Golden

GOLDENS = Path(__file__).parent / "goldens"
LOCAL = scenario.load("calico-local")
CLUSTER = replace(LOCAL, services={"shop": replace(LOCAL.service, policy="Cluster")})
LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"


def lab(system: Scenario, **knobs: str) -> Lab:
    """A lab that is on no disk and in no namespace; `__` in a knob's name stands for `/`, `_` for a dash."""
    named = {name.replace("__", "/").replace("_", "-"): value for name, value in knobs.items()}
    return Lab("paper", State(original=system, scenario=system, knobs=named))


def announced_by(system: Scenario, kind: str = "calico-bgp") -> Scenario:
    return replace(system, announcer=replace(system.announcer, kind=kind))


def labelled(system: Scenario, node: str, value: str) -> Scenario:
    return replace(system, nodes={**system.nodes, node: replace(system.nodes[node], labels={LABEL: value})})


def ranges(*cidrs: str) -> Announcer:
    return replace(LOCAL.announcer, lb_cidrs=cidrs)


def test_configurations_are_those_of_the_products(golden: Golden) -> None:
    founding = lab(scenario.load("founding-case"))
    golden(GOLDENS / "calico-worker.conf", calico_bgp.render(founding, "k8s-worker-0"))
    golden(GOLDENS / "router-frr.conf", frr_router.render(lab(LOCAL, router__peer__wk_2__absent="1")))
    golden(GOLDENS / "router-bird.conf", bird_router.render(lab(LOCAL, router__import="aggregates-only")))
    golden(GOLDENS / "metallb-node.conf", metallb_bgp.render(lab(announced_by(LOCAL, "metallb-bgp")), "wk-1"))
    golden(GOLDENS / "kube-vip-node.conf", kube_vip_arp.render(lab(announced_by(LOCAL, "kube-vip-arp")), "cp-1"))


@pytest.mark.parametrize(
    ("system", "with_endpoint", "without"),
    [
        (LOCAL, ("10.99.8.16/28", "10.99.8.20/32"), ("10.99.8.16/28",)),
        (CLUSTER, ("10.99.8.16/28",), ("10.99.8.16/28",)),
        # One address is no aggregate: it goes out for the service alone.
        (replace(LOCAL, announcer=ranges("10.99.8.20/32")), ("10.99.8.20/32",), ()),
        (replace(CLUSTER, announcer=ranges("10.99.8.20/32")), ("10.99.8.20/32",), ("10.99.8.20/32",)),
        (replace(LOCAL, announcer=ranges("10.99.9.0/28")), ("10.99.9.0/28",), ("10.99.9.0/28",)),
        # Calico looks at the label's value; kubeadm's is empty.
        (labelled(LOCAL, "wk-1", "true"), (), ("10.99.8.16/28",)),
        (labelled(LOCAL, "wk-1", ""), ("10.99.8.16/28", "10.99.8.20/32"), ("10.99.8.16/28",)),
    ],
)
def test_calico_makes_routes_by_policy_endpoint_range_and_label(
    system: Scenario, with_endpoint: tuple[str, ...], without: tuple[str, ...]
) -> None:
    assert calico_bgp.service_routes(lab(system), "wk-1") == with_endpoint
    assert calico_bgp.service_routes(lab(system), "cp-1") == without


def test_metallb_excludes_a_node_whatever_the_labels_value_is() -> None:
    for value, expected in (("", ()), ("false", ())):
        system = lab(labelled(announced_by(LOCAL, "metallb-bgp"), "wk-1", value))
        assert metallb_bgp.announced(system, "wk-1") == expected


def test_the_mesh_brings_every_host_route_to_the_router_from_every_node() -> None:
    """The lowest router ID wins, which is a node without an endpoint: the fault host-routes-passed-on."""
    meshed = lab(replace(LOCAL, announcer=replace(LOCAL.announcer, mesh=True)))
    for system, hop in ((lab(LOCAL), "10.20.30.21"), (meshed, "10.20.30.11")):
        told = {node: calico_bgp.announced(system, node) for node in sessions(system)}
        assert next_hops(system, told, "10.99.8.20") == {hop}


@pytest.mark.parametrize(
    "knobs",
    [
        {"router__peer__wk_1__absent": "1"},
        {"router__peer__wk_1__asn": "64999"},
        {"router__peer__wk_1__password": "x"},
        {"router__peer__wk_1__shutdown": "1"},
        {"announcer__wk_1__source": "10.20.30.121"},
        {"announcer__wk_1__disabled": "1"},
        {"announcer__wk_1__peer_asn": "1"},
        {"stopped__announcer__wk_1": "1"},
    ],
)
def test_a_setting_of_one_end_alone_takes_one_session_down(knobs: dict[str, str]) -> None:
    system = lab(LOCAL, **knobs)
    assert sessions(system) == ("cp-1", "wk-2")
    told = {node: calico_bgp.announced(system, node) for node in sessions(system)}
    assert next_hops(system, told, "10.99.8.20") == {"10.20.30.11"}  # by the aggregate


def test_metallb_elects_by_hash_among_the_nodes_that_may() -> None:
    cluster, local = announced_by(CLUSTER, "metallb-l2"), announced_by(LOCAL, "metallb-l2")
    assert len(metallb_l2.leaders(lab(cluster), "shop")) == 1
    assert metallb_l2.leaders(lab(local), "shop") == ("wk-1",)
    leader = metallb_l2.leaders(lab(cluster), "shop")[0]
    other = next(node for node in cluster.nodes if node != leader)
    split = lab(cluster, **{f"announcer__{other.replace('-', '_')}__alone": "1"})
    assert set(metallb_l2.leaders(split, "shop")) == {leader, other}
    excluded = lab(labelled(cluster, leader, ""))
    assert leader not in metallb_l2.leaders(excluded, "shop")


def test_the_responder_answers_what_it_is_asked_for_and_nothing_else() -> None:
    own, asker = bytes.fromhex("02000a141e15"), bytes.fromhex("02000a141e4d")
    wanted, other, host = bytes([10, 20, 30, 240]), bytes([10, 20, 30, 241]), bytes([10, 20, 30, 77])

    def request(to: bytes, address: bytes, operation: int = 1) -> bytes:
        return FRAME.pack(to, asker, 0x0806, 1, 0x0800, 6, 4, operation, asker, host, bytes(6), address)

    broadcast, held = b"\xff" * 6, frozenset({wanted})
    reply = answer(request(broadcast, wanted) + bytes(18), own, held)  # padded to Ethernet's least length
    assert reply is not None
    assert FRAME.unpack(reply) == (asker, own, 0x0806, 1, 0x0800, 6, 4, 2, own, wanted, asker, host)
    assert answer(request(own, wanted), own, held) == reply
    assert answer(request(asker, wanted), own, held) is None
    assert answer(request(broadcast, other), own, held) is None
    assert answer(request(broadcast, wanted, operation=2), own, held) is None
    assert answer(b"\x00" * 20, own, held) is None
    assert [FRAME.unpack(packet)[7:10] for packet in gratuitous(own, wanted)] == [(1, own, wanted), (2, own, wanted)]
