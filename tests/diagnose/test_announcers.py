"""Who may announce, where nothing says it: what speaks for each way, and that shares stay shares."""

from __future__ import annotations

import pytest

from kubereach.build.assemble import build
from kubereach.diagnose.announcers import announcers
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.attribute import ANNOUNCER
from kubereach.pipeline import Options, diagnose

TRIED = "$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 milliseconds\n"
PEER = """\
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: edge, namespace: metallb-system}
spec: {myASN: 64601, peerASN: 64500, peerAddress: 10.40.0.1}
"""
CALICO_PEER = """\
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: edge}
spec: {asNumber: 64500, peerIP: 10.40.0.1}
"""
WHOLE_TABLE = """\
router# show ip route
Codes: K - kernel route, C - connected, S - static, B - BGP, > - selected route, * - FIB route
S>* 0.0.0.0/0 [1/0] via 192.0.2.1, eth1, weight 1, 5w2d11h
C>* 10.40.0.0/24 is directly connected, eth0, 5w2d11h
"""


def _shares(*texts: tuple[str, str], prose: str = "MetalLB 0.14.5 here.") -> dict[str, float]:
    documents = [Document("curl-http.client.txt", TRIED.encode()), Document("post.txt", prose.encode())]
    documents += [Document(name, text.encode()) for name, text in texts]
    found = dict(announcers(build(read_evidence(documents).facts)))
    assert sum(found.values()) == pytest.approx(1.0)
    return found


def test_layer_2_is_usual_and_a_configured_peer_speaks_against_it() -> None:
    assert _shares()["metallb-l2"] > 0.5
    assert _shares(("peer.yaml", PEER))["metallb-bgp"] > 0.7


def test_a_pool_on_no_link_of_the_router_is_routed() -> None:
    assert _shares(("show-ip-route.router.txt", WHOLE_TABLE))["metallb-l2"] < 0.2


@pytest.mark.parametrize(
    ("prose", "usual"), [("MetalLB, BGP mode.", "metallb-bgp"), ("MetalLB in layer 2 mode.", "metallb-l2")]
)
def test_the_prose_may_name_the_way(prose: str, usual: str) -> None:
    shares = _shares(prose=prose)
    assert max(shares, key=shares.__getitem__) == usual


def test_an_empty_list_of_advertisements_is_no_sign_of_that_way() -> None:
    empty = ("kubectl-get-l2advertisements-n-metallb-system.txt", "No resources found in metallb-system namespace.\n")
    assert _shares(empty)["metallb-l2"] < 0.1


def test_calicos_own_peer_speaks_for_calico() -> None:
    shares = _shares(("peer.yaml", CALICO_PEER), prose="Calico, and MetalLB's controller for the addresses.")
    assert max(shares, key=shares.__getitem__) == "calico-bgp"


def test_kube_vip_has_two_ways() -> None:
    assert set(_shares(prose="kube-vip 0.8")) == {"kube-vip-arp", "kube-vip-bgp"}


SERVICE = """\
$ kubectl get svc -n web
NAME   TYPE           CLUSTER-IP     EXTERNAL-IP   PORT(S)        AGE
shop   LoadBalancer   10.96.10.20    203.0.113.9   80:30080/TCP   5d
"""
LEASES = """\
$ kubectl get leases -n kube-system
NAME                   HOLDER                                    AGE
kube-controller-manager   cp-1_0b2f4f0e-0f3c-4a57-8f6b-0d3c7b6f2d11   5d
{name:<24}  wk-2                                      5d
"""
EVENTS = """\
$ kubectl get events -n web
LAST SEEN   TYPE     REASON         OBJECT         MESSAGE
3m          Normal   nodeAssigned   service/shop   announcing from node "wk-2" with protocol "{protocol}"
"""


@pytest.mark.parametrize(
    ("record", "announcer"),
    [
        (LEASES.format(name="cilium-l2announce-web-shop"), "cilium-l2"),
        (EVENTS.format(protocol="layer2"), "metallb-l2"),
        (EVENTS.format(protocol="bgp"), "metallb-bgp"),
        (LEASES.format(name="cilium-l2announce-web-other"), "cilium-l2"),  # the cluster's way, for want of better
        (LEASES.format(name="kube-scheduler"), None),
    ],
)
def test_the_announcers_own_record_names_it(record: str, announcer: str | None) -> None:
    documents = [Document(name, text.encode()) for name, text in (("a", TRIED), ("b", SERVICE), ("c", record))]
    assert build(read_evidence(documents).facts).seen("cluster", ANNOUNCER) == announcer


def test_kube_vips_lock_for_services_speaks_for_arp() -> None:
    lock = ("leases.txt", LEASES.format(name="plndr-svcs-lock"))
    assert _shares(lock, prose="kube-vip here.")["kube-vip-bgp"] < _shares(prose="kube-vip here.")["kube-vip-bgp"] / 2


UNANSWERED = """\
$ arping -c 3 -I eth0 203.0.113.9
ARPING 203.0.113.9 from 203.0.113.77 eth0
Sent 3 probes (3 broadcast(s))
Received 0 response(s)
"""


def test_who_asks_by_arp_expects_layer_2() -> None:
    assert _shares(("arping.client.txt", UNANSWERED))["metallb-l2"] > _shares()["metallb-l2"] + 0.15


def test_an_arp_request_in_vain_is_no_ping_that_was_taken_for_a_test() -> None:
    documents = [Document("post.txt", b"MetalLB 0.14.5 here."), Document("arping.client.txt", UNANSWERED.encode())]
    found = [cause.code for cause in diagnose(documents, Options()).causes]
    assert found
    assert "misread-icmp" not in found
