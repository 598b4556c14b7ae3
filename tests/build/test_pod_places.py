"""Where captures and routes of nodes show the flow's pods to run, and that their packets are encapsulated."""

from __future__ import annotations

from kubereach.build.assemble import build
from kubereach.diagnose.variants import variants
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model import attribute as a
from kubereach.model.network import Network

TRIED = "me@laptop:~$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 milliseconds\n"
IPVS = """root@node-a:~# ipvsadm -Ln
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  203.0.113.9:80 rr
{servers}
"""
SERVER = "  -> {}:{}           Masq    1      0          0"
CAPTURE = """root@{node}:~# tcpdump -n -i any tcp port 80 or tcp port 8080
10:00:00.100101 eth0  In  IP 198.51.100.7.51514 > 203.0.113.9.80: Flags [S], seq 814, win 64240, length 0
10:00:00.100120 {interface} Out IP {source}.51514 > 10.244.3.70.8080: Flags [S], seq 814, win 64240, length 0
10:00:00.100140 {interface} Out IP 10.0.0.9.40000 > 10.244.3.99.8080: Flags [S], seq 4, win 64240, length 0
3 packets captured
3 packets received by filter
0 packets dropped by kernel
"""


def _built(*parts: str) -> Network:
    return build(read_evidence([Document("post.txt", "\n".join((TRIED, *parts)).encode())]).facts)


def _capture(node: str, interface: str, source: str = "10.0.0.1") -> str:
    return CAPTURE.format(node=node, interface=interface, source=source)


def _ipvs(*servers: tuple[str, int]) -> str:
    return IPVS.format(servers="\n".join(SERVER.format(*server) for server in servers))


def test_a_pods_end_is_on_its_node_and_a_tunnel_leads_away() -> None:
    network = _built(_ipvs(("10.244.3.70", 8080)), _capture("node-a", "tunl0"), _capture("node-b", "cali12ab"))
    (endpoint,) = network.seen(network.flow.service, a.ENDPOINTS) or ()
    assert (endpoint.address, endpoint.node, endpoint.port) == ("10.244.3.70", "node/node-b", 8080)
    assert network.seen("cluster", a.ENCAPSULATION) == "ipip"


def test_a_pod_that_no_node_was_seen_to_run_stays_without_one() -> None:
    servers = _ipvs(("10.244.3.70", 8080), ("10.244.9.5", 8080))
    network = _built(servers, _capture("node-b", "lxc7f"))
    found = {e.address: e.node for e in network.seen(network.flow.service, a.ENDPOINTS) or ()}
    assert found == {"10.244.3.70": "node/node-b", "10.244.9.5": ""}


def test_a_host_route_to_a_pods_end_places_it() -> None:
    route = "root@node-b:~# ip route show\ndefault via 10.0.0.254 dev eth0\n10.244.3.70 dev cali12ab scope link\n"
    network = _built(_ipvs(("10.244.3.70", 8080)), route)
    assert [e.node for e in network.seen(network.flow.service, a.ENDPOINTS) or ()] == ["node/node-b"]


def test_without_a_list_only_the_clients_own_packets_count() -> None:
    own = _built(_capture("node-b", "veth12", source="198.51.100.7"))
    assert [e.address for e in own.seen(own.flow.service, a.ENDPOINTS) or ()] == ["10.244.3.70"]
    others = _built(_capture("node-b", "veth12"))
    assert others.seen(others.flow.service, a.ENDPOINTS) is None


def test_virtual_servers_of_pods_are_ipvs_and_those_of_node_ports_are_not() -> None:
    assert _built(_ipvs(("10.244.3.70", 8080))).seen("cluster", a.PROXY_MODE) == "ipvs"
    assert _built(_ipvs(("10.0.0.12", 30080))).seen("cluster", a.PROXY_MODE) is None


def test_requests_that_enter_two_nodes_ask_for_several_next_hops() -> None:
    def multipath(*parts: str) -> bool:
        return any(a.MULTIPATH.of("router") in dict(v.changes) for v in variants(_built(*parts)))

    assert multipath(_capture("node-a", "tunl0"), _capture("node-b", "cali12ab"))
    assert not multipath(_capture("node-a", "tunl0"))
