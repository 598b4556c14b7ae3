"""The smallest sets of changes that make a flow work: none too many, none too few, none that does nothing."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import msgspec
import pytest

from kubereach.advise import remedies as searching
from kubereach.advise.remedies import COSTS, Candidate, changed, remedies
from kubereach.advise.settings import SETTINGS, Setting
from kubereach.build.assemble import build
from kubereach.diagnose.observe import collect
from kubereach.diagnose.rank import Ranking, rank
from kubereach.diagnose.roles import service_walk
from kubereach.evidence.intake import read_evidence
from kubereach.model import attribute as a
from kubereach.model.attribute import Attribute, Peer
from kubereach.model.diagnosis import Disruption, Owner, Remedy
from kubereach.model.network import Network, Seen
from kubereach.simulate.world import Changes, World
from tests.diagnose.small_network import ASH, HOST, OAK, POOL, SERVICE, VIP, endpoints, via, world
from tests.properties.pasted_post import FOUNDING, documents_of

Leaf = tuple[str, Attribute[Any], object]
MESH_OFF: tuple[Leaf, ...] = (
    ("cluster", a.MESH, False),
    ("cluster", a.ENCAPSULATION, "none"),
    ("cluster", a.PEERS, (Peer("192.0.2.1", 64999),)),
    ("cluster", a.CLUSTER_AS, 64512),
    ("cluster", a.LB_CIDRS, (POOL,)),
    (SERVICE, a.POLICY, "Local"),
    ("cluster", a.PROXY_MODE, "ipvs"),
    ("cluster", a.KUBERNETES_MINOR, 25),
)


def ranked(network: Network) -> Ranking:
    return rank(network, collect(network))


def calico(*leaves: Leaf, pods: tuple[str, ...] = (OAK,)) -> Ranking:
    """Calico with policy Local, the mesh off and no tunnel: only what differs is given."""
    return ranked(world(*MESH_OFF, *leaves, announcer="calico-bgp", pods=pods).network)


def summaries(found: tuple[Remedy, ...]) -> list[tuple[str, ...]]:
    return [tuple(change.summary for change in remedy.changes) for remedy in found]


@pytest.fixture(scope="module")
def founding() -> Ranking:
    return ranked(build(read_evidence(documents_of(FOUNDING / "bundle")).facts))


def test_the_founding_case_needs_a_pod_where_the_traffic_enters_or_policy_and_tunnel_together(
    founding: Ranking,
) -> None:
    found = summaries(remedies(founding))
    assert found[:3] == [
        ("run a ready pod on 10.40.7.11 too",),
        ("set externalTrafficPolicy to Cluster", "carry the pods' packets in VXLAN"),
        ("set a static route on the router to 10.99.8.20/32 by way of atlas-w1",),
    ]
    assert any("mend the cause" in words for remedy in found for words in remedy)


def test_each_change_of_a_set_is_told_with_what_stops_the_flow_without_it(founding: Ranking) -> None:
    both = next(r for r in remedies(founding) if len(r.changes) == 2)
    policy, tunnel = both.changes
    assert "which the client does not know" in policy.without[0]
    assert "mesh off and no VXLAN" in tunnel.without[0]
    assert both.proved
    assert any("from the client" in flow for flow in both.clears)


def test_what_works_needs_no_remedy() -> None:
    assert remedies(calico()) == ()


def test_configuration_alone_that_cannot_work_is_blocked_by_sets_of_settings() -> None:
    """The node with the pod is kept silent, and the router's tie-break between the other two may fall either way."""
    found = remedies(calico((OAK, a.EXCLUDED, True)))
    assert summaries(found) == [
        ("run a ready pod on ash and elm too",),
        ("take the exclusion label off the nodes that should announce",),
        ("set externalTrafficPolicy to Cluster", "switch the node-to-node mesh on"),
        ("set externalTrafficPolicy to Cluster", "carry the pods' packets in VXLAN"),
        ("set a static route on the router to 203.0.113.20/32 by way of oak",),
    ]
    assert all(r.proved and r.works_in == 1.0 for r in found)


@pytest.mark.parametrize(
    "ranking",
    [
        calico((OAK, a.EXCLUDED, True)),
        calico(via(ASH)),
        calico(via(ASH), (OAK, a.EXCLUDED, True), (SERVICE, a.SOURCE_RANGES, ("192.0.2.0/24",))),
        ranked(world((SERVICE, a.POLICY, "Local"), via(ASH)).network),
        ranked(
            world((SERVICE, a.POLICY, "Cluster"), (ASH, a.EXCLUDED, True), ("router", a.NOBODY_ANNOUNCES, True)).network
        ),
    ],
    ids=["silent", "static", "three", "metallb", "nobody"],
)
def test_the_search_finds_what_trying_everything_finds(ranking: Ranking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST_FOUND", 100)
    monkeypatch.setattr(searching, "MOST_TRIED", 5000)
    failing = searching._failing(ranking)
    candidates = tuple(searching._candidates(failing))
    found = {frozenset(chosen) for chosen, _ in searching._search(failing, candidates)}
    working = [
        frozenset(chosen)
        for size in range(1, searching.MOST_CHANGES + 1)
        for chosen in combinations(range(len(candidates)), size)
        if _share(ranking, [candidates[i] for i in chosen]) >= searching.SURE
    ]
    assert found == {one for one in working if not any(less < one for less in working)}


def _share(ranking: Ranking, chosen: list[Candidate]) -> float:
    failing = searching._failing(ranking)
    good = sum(h.weight for h in failing if service_walk(changed(h, chosen)).works())
    return good / sum(h.weight for h in failing)


def test_the_least_disruptive_stands_first(founding: Ranking) -> None:
    costs = [sum(COSTS[change.disruption] for change in remedy.changes) for remedy in remedies(founding)]
    assert costs == sorted(costs)


def _irrelevant(_: World) -> Changes:
    return {a.NAT_OUTGOING.of("cluster"): False}


def test_a_change_that_does_nothing_is_in_no_remedy(founding: Ranking, monkeypatch: pytest.MonkeyPatch) -> None:
    before = remedies(founding)
    useless = Setting(
        leaves=_irrelevant,
        words=lambda _: ("switch natOutgoing off", ()),
        owner=Owner.CLUSTER,
        disruption=Disruption.SERVICE,
    )
    monkeypatch.setattr(searching, "SETTINGS", (useless, *SETTINGS))
    assert remedies(founding) == before


def test_a_remedy_that_breaks_another_service_says_so_and_stands_last() -> None:
    """A static route for one service does no harm; silence at a node takes another service's only way."""
    other = "service/default/mail"
    base = world(*MESH_OFF, via(ASH), announcer="calico-bgp").network
    settings = {
        **base.settings,
        a.ADDRESSES.of(other): Seen(("203.0.113.21",)),
        a.POLICY.of(other): Seen("Local"),
        a.PORTS.of(other): base.settings[a.PORTS.of(SERVICE)],
        a.ENDPOINTS.of(other): Seen(endpoints(ASH)),
        a.STATIC_ROUTES.of("router"): Seen(()),
        a.ATTRACTS_WITHOUT_ENDPOINT.of(ASH): Seen(value=True),
        a.IMPORT_POLICY.of("router"): Seen("aggregates-only"),
        a.PREFERRED.of("router"): Seen(ASH),
    }
    network = msgspec.structs.replace(base, settings=settings, services=(SERVICE, other))
    found = remedies(ranked(network))
    silencing = [r for r in found if any("from announcing" in c.summary for c in r.changes)]
    assert silencing
    assert all(any("mail" in flow for flow in r.breaks) for r in silencing)
    assert [bool(r.breaks) for r in found] == sorted(bool(r.breaks) for r in found)
    assert HOST.startswith(VIP)
