"""Where told tests end up in the model."""

from __future__ import annotations

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.attribute import ALLOCATION_CLEARED
from kubereach.model.fact import Outcome, ProbeResult, Trust
from kubereach.model.network import Network
from kubereach.probes import arp_wire, capture
from kubereach.probes.connect import sightings

SERVICE = """
$ kubectl get svc
NAME   TYPE           CLUSTER-IP    EXTERNAL-IP    PORT(S)        AGE
web    LoadBalancer   10.96.10.20   192.0.2.77     80:31000/TCP   5d
"""


def built(text: str) -> Network:
    return build(read_evidence((Document("post.txt", text.encode()),)).facts)


def probes_of(network: Network) -> list[ProbeResult]:
    return [f for f in network.observed if isinstance(f, ProbeResult)]


def test_a_sentence_without_an_address_speaks_of_the_service() -> None:
    network = built("From outside the service is not reachable.\n" + SERVICE)
    assert [(f.source, f.target, f.outcome) for f in probes_of(network)] == [("client", "192.0.2.77", Outcome.FAILED)]
    assert [s.answers for s in sightings(network)] == [frozenset({"timeout", "unreachable", "refused"})]


def test_what_is_told_of_the_nodes_is_put_on_one_of_them() -> None:
    nodes = "\n$ kubectl get nodes\nNAME   STATUS   ROLES    AGE   VERSION\n" + "".join(
        f"n{i}     Ready    <none>   5d    v1.30.1\n" for i in range(1, 6)
    )
    network = built("From the nodes the service works.\n" + SERVICE + nodes)
    assert len(network.nodes) == 5
    assert [f.source for f in probes_of(network)] == ["node/n1"]


def test_a_program_s_output_replaces_the_telling() -> None:
    answer = "curl: (7) Failed to connect to 192.0.2.77 port 80: No route to host"
    shown = f"\nme@laptop:~$ curl -m 5 http://192.0.2.77/\n{answer}\n"
    network = built("From my laptop the service times out.\n" + SERVICE + shown)
    assert [(f.trust, f.outcome) for f in probes_of(network)] == [(Trust.OUTPUT, Outcome.UNREACHABLE)]


def test_an_address_that_is_only_told_decides_the_flow_where_none_is_shown() -> None:
    assert built("From my laptop http://192.0.2.80:8443/ times out.\n").flow.address == "192.0.2.80"
    assert built("From my laptop 192.0.2.99 times out.\n" + SERVICE).flow.address == "192.0.2.77"


def test_a_flow_that_only_a_capture_shows_is_the_one_that_comes_in() -> None:
    lines = "".join(
        f"15:13:4{i}.910348 {interface} IP 198.51.100.33.42844 > {to}: Flags [S], seq 254594485, win 64240, length 0\n"
        for i, (interface, to) in enumerate((("eth0  In ", "192.0.2.128.6068"), ("cni0  Out", "10.42.1.7.8080")))
    )
    network = built(f"On the node:\n\n# tcpdump -ni any tcp\n{lines}\nFrom outside the service times out.\n")
    assert (network.flow.address, network.flow.port) == ("192.0.2.128", 6068)
    told = [f for f in probes_of(network) if f.trust is Trust.MENTIONED]
    assert [f.target for f in told] == ["192.0.2.128"]


def test_a_test_on_a_node_of_unknown_name_is_no_client_s() -> None:
    curl = "# curl -m 5 http://192.0.2.77/\ncurl: (7) Failed to connect to 192.0.2.77 port 80: Connection refused\n"
    network = built(SERVICE + f"\nFrom a cluster node:\n\n{curl}")
    assert [f.source.startswith("node/") for f in probes_of(network)] == [True]


def test_a_told_capture_is_of_the_service_and_of_no_node_in_particular() -> None:
    network = built("tcpdump on the node shows the SYN coming in but no reply.\n" + SERVICE)
    found = {(s.question.where, s.question.about): s.answers for s in capture.sightings(network)}
    assert found == {("cluster", ("tcp",)): frozenset({"seen"}), ("cluster", ("answer",)): frozenset({"not-seen"})}


def test_told_arp_requests_are_for_the_service_s_address() -> None:
    network = built("tcpdump on the node shows ARP requests but no ARP replies.\n" + SERVICE)
    assert [s.answers for s in arp_wire.sightings(network)] == [frozenset({"asked"})]


def test_a_shown_capture_replaces_the_told_one() -> None:
    shown = (
        "15:13:40.910348 IP 198.51.100.33.42844 > 192.0.2.77.80: Flags [S], seq 254594485, win 64240, length 0\n" * 2
    )
    text = (
        "tcpdump on the node shows no packets arriving.\n" + SERVICE + f"\n[root@n1 ~]# tcpdump -ni eth0 tcp\n{shown}"
    )
    network = built(
        text + "\n# kubectl get nodes\nNAME   STATUS   ROLES    AGE   VERSION\nn1     Ready    <none>   5d    v1.30.1\n"
    )
    assert [(s.question.where, s.answers) for s in capture.sightings(network)] == [("node/n1", frozenset({"seen"}))]


def test_an_address_whose_arp_was_tried_is_there() -> None:
    told = built("With arping from outside the LoadBalancer gets no ARP reply.\n")
    assert ALLOCATION_CLEARED.of(told.flow.service) in told.settings
