"""Nodes that are known by a name in one output and by an address in another: joined on evidence, never doubled."""

from __future__ import annotations

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.network import Network

SUMMARY = """\
$ vtysh -c 'show bgp summary'
IPv4 Unicast Summary (VRF default):
BGP router identifier 10.40.0.1, local AS number 64500 vrf-id 0
BGP table version 3
RIB entries 3, using 552 bytes of memory
Peers {count}, using 716 KiB of memory

Neighbor        V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc
{rows}

Total number of neighbors {count}
"""
ROW = "{address:<15} 4 {number:>10}       120       118        0    0    0    never       Active        0 N/A"
PEER = """\
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: edge, namespace: metallb-system}
spec: {myASN: 64601, peerASN: 64500, peerAddress: 10.40.0.1}
"""
ROUTES = """\
$ ip route
default via 10.40.0.1 dev eno1
10.40.0.0/24 dev eno1 proto kernel scope link src 10.40.0.{last}
10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink
"""
TRIED = "$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 milliseconds\n"


def _built(**texts: str) -> Network:
    documents = [Document("curl-http.client.txt", TRIED.encode())]
    names = {key: key.replace("__", ".").replace("_", "-") for key in texts}
    documents += [Document(names[key], text.encode()) for key, text in texts.items()]
    return build(read_evidence(documents).facts)


def _summary(*neighbours: tuple[str, int]) -> str:
    rows = "\n".join(ROW.format(address=address, number=number) for address, number in neighbours)
    return SUMMARY.format(rows=rows, count=len(neighbours))


def test_who_has_the_nodes_as_number_at_the_router_is_a_node() -> None:
    network = _built(
        summary__router__txt=_summary(("10.40.0.21", 64601), ("10.40.0.22", 64601), ("198.51.100.1", 64900)),
        peer__yaml=PEER,
    )
    assert set(network.nodes) == {"node/10.40.0.21", "node/10.40.0.22"}
    assert not any("second node" in said for said in network.assumed)


def test_neighbours_of_several_numbers_are_nobody_in_particular() -> None:
    network = _built(summary__router__txt=_summary(("10.40.0.21", 64601), ("10.40.0.22", 64602)))
    assert not any(address in network.owners for address in ("10.40.0.21", "10.40.0.22"))


def test_the_only_neighbour_of_a_whole_list_is_the_only_node() -> None:
    network = _built(summary__router__txt=_summary(("10.40.0.21", 64601)), peer__yaml=PEER)
    assert network.nodes == ("node/10.40.0.21",)


def test_a_node_has_the_source_of_its_own_routes() -> None:
    """One host, and not a named one beside a numbered one."""
    network = _built(
        summary__router__txt=_summary(("10.40.0.21", 64601), ("10.40.0.22", 64601)),
        peer__yaml=PEER,
        ip_route__rack_a__txt=ROUTES.format(last=21).replace("$ ip route", "root@rack-a:~# ip route"),
        iptables__rack_a__txt="root@rack-a:~# iptables -S -t nat\n-A KUBE-SERVICES -j KUBE-NODEPORTS\n",
    )
    assert network.owners["10.40.0.21"] == "node/rack-a"
    assert set(network.nodes) == {"node/rack-a", "node/10.40.0.22"}


def test_endpoints_of_one_service_name_the_one_that_nobody_showed() -> None:
    network = _built(
        kubectl_get_endpoints_A__txt="NAMESPACE  NAME  ENDPOINTS        AGE\nweb        shop  10.244.3.7:8080  9d\n"
    )
    assert network.flow.service == "service/web/shop"
    assert network.flow.address == "203.0.113.9"
