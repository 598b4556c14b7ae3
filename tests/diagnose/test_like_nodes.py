"""Of many nodes that nothing tells apart, one is judged for all and a few are asked."""

from __future__ import annotations

import pytest

from kubereach.advise import next_probe
from kubereach.build.assemble import build
from kubereach.diagnose.observe import Group, collect
from kubereach.diagnose.rank import Ranking, rank
from kubereach.diagnose.roles import judged, likeness, roles
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.network import Network

COUNT = 12
NODES = "NAME  STATUS  ROLES  AGE  VERSION  INTERNAL-IP\n" + "".join(
    f"birch-{n:02}  Ready  <none>  90d  v1.30.2  10.20.0.{10 + n}\n" for n in range(COUNT)
)
SERVICE = """\
NAMESPACE  NAME  TYPE          CLUSTER-IP  EXTERNAL-IP   PORT(S)       AGE
default    shop  LoadBalancer  10.96.7.7   203.0.113.20  80:31080/TCP  3d
"""
ENDPOINTS = """\
NAME  ENDPOINTS        AGE
shop  10.244.3.9:8080  3d
"""
PODS = """\
NAMESPACE  NAME      READY  STATUS   RESTARTS  AGE  IP          NODE      NOMINATED NODE  READINESS GATES
default    shop-xkq  1/1    Running  0         3d   10.244.3.9  birch-03  <none>          <none>
"""
ROUTER = "203.0.113.20 proto bgp metric 20\n" + "".join(
    f"\tnexthop via 10.20.0.{10 + n} dev eth1 weight 1\n" for n in range(COUNT)
)
TRIED = "$ curl -m 5 http://203.0.113.20\ncurl: (28) Connection timed out after 5001 milliseconds\n"


@pytest.fixture(scope="module")
def network() -> Network:
    texts = {
        "kubectl-get-nodes-o-wide.txt": NODES,
        "kubectl-get-svc-A.txt": SERVICE,
        "kubectl-get-endpoints.txt": ENDPOINTS,
        "kubectl-get-pods-A-o-wide.txt": PODS,
        "ip-route.router.txt": ROUTER,
        "curl.client.txt": TRIED,
    }
    return build(read_evidence(tuple(Document(name, text.encode()) for name, text in texts.items())).facts)


@pytest.fixture(scope="module")
def groups(network: Network) -> tuple[Group, ...]:
    return collect(network)


@pytest.fixture(scope="module")
def ranking(network: Network, groups: tuple[Group, ...]) -> Ranking:
    return rank(network, groups)


def test_what_one_stands_for_has_the_roles_that_it_would_have_by_itself(ranking: Ranking) -> None:
    found = judged(ranking)
    assert len({likeness(h) for h, _ in found}) < len(found) / 2
    assert [mine for _, mine in found] == [roles(h) for h, _ in found]


def test_a_node_with_the_pod_is_not_like_one_without(ranking: Ranking) -> None:
    (code, *_), *_ = (
        [s.fault.code for s in h.assumed]
        for h in ranking.hypotheses
        if [s.subject for s in h.assumed] == ["node/birch-03"]
    )
    mine = {
        h.assumed[0].subject: likeness(h) for h in ranking.hypotheses if [s.fault.code for s in h.assumed] == [code]
    }
    assert mine["node/birch-03"] not in {same for node, same in mine.items() if node != "node/birch-03"}


def test_few_answer_for_the_rest(
    network: Network, groups: tuple[Group, ...], ranking: Ranking, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judged(ranking)
    few = next_probe.next_probes(network, found, groups, ranking.residual, 40)
    monkeypatch.setattr(next_probe, "MOST_ALIKE", COUNT)
    every = next_probe.next_probes(network, found, groups, ranking.residual, 40)
    gains = {(p.where, p.command): p.gain_bits for p in every}
    assert [p.command for p in few[:5]] == [p.command for p in every[:5]]
    assert {(p.where, p.command): p.gain_bits for p in few} == pytest.approx(
        {key: gains[key] for key in ((p.where, p.command) for p in few)}, abs=0.02
    )
