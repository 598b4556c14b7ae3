"""What a node's own captures, connections, rules and routes say of where the flow ends there."""

from __future__ import annotations

from kubereach.build.assemble import build
from kubereach.diagnose.observe import collect
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.attribute import (
    DEFAULT_DOUBT,
    FORWARD_DROP,
    FORWARD_SPARES,
    HOST_ENDPOINT_DROP,
    HOST_FIREWALL,
    HOST_FIREWALL_SPARES,
    HOST_POLICY_SPARES,
    MARTIAN,
    MIXED_BACKENDS,
    MULTIHOMED_DOUBT,
    TWO_BACKENDS,
)
from kubereach.model.network import Network
from kubereach.pipeline import Options, diagnose

VIP, CLIENT, POD = "203.0.113.9", "10.9.9.9", "10.244.1.7"
NODES = """NAME   STATUS   ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE   KERNEL-VERSION   RUNTIME
ash    Ready    <none>   9d    v1.30.2   192.0.2.11    <none>        Debian     6.1.0            containerd
elm    Ready    <none>   9d    v1.30.2   192.0.2.12    <none>        Debian     6.1.0            containerd
"""
SERVICE = f"""apiVersion: v1
kind: Service
metadata: {{name: web, namespace: default}}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Cluster
  ports: [{{port: 80, targetPort: 8080, protocol: TCP}}]
status: {{loadBalancer: {{ingress: [{{ip: {VIP}}}]}}}}
"""
SLICE = f"""apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: web-x, namespace: default, labels: {{kubernetes.io/service-name: web}}}}
ports: [{{port: 8080, protocol: TCP}}]
endpoints: [{{addresses: [{POD}], conditions: {{ready: true}}, nodeName: ash}}]
"""
TRIED = f"curl: (28) Failed to connect to {VIP} port 80 after 5001 ms: Timeout was reached\n"
LOOKED_UP = f"{VIP} via 10.9.9.1 dev eth0 src {CLIENT} uid 1000\n    cache\n"
ARRIVES = f"10:00:00.100101 eth0  In  IP {CLIENT}.51514 > {VIP}.80: Flags [S], seq 1, win 64240, length 0\n"
TO_POD = f"10:00:00.100120 cni0  Out IP 192.0.2.11.51514 > {POD}.8080: Flags [S], seq 1, win 64240, length 0\n"
ANSWER = f"10:00:00.100640 eth0  Out IP {VIP}.80 > {CLIENT}.51514: Flags [S.], seq 9, ack 2, win 65160, length 0\n"
PORTS = "tcpdump-n-i-any-tcp-port-80-or-tcp-port-8080.ash.txt"
STATISTICS = "--- 192.0.2.11 ping statistics ---\n1 packets transmitted, {} received, {}% packet loss, time 0ms\n"
ONE_LEG = """2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    inet 192.0.2.11/24 brd 192.0.2.255 scope global eth0
"""


def _documents(**files: str) -> list[Document]:
    known = {
        "kubectl-get-nodes-o-wide.txt": NODES,
        "kubectl-get-svc-web-o-yaml.yaml": SERVICE,
        "kubectl-get-endpointslices-o-yaml.yaml": SLICE,
        f"curl-m-5-http-{VIP}.client.txt": TRIED,
        f"ip-route-get-{VIP}.client.txt": LOOKED_UP,
    }
    return [Document(name, text.encode()) for name, text in (known | files).items()]


def _network(**files: str) -> Network:
    return build(read_evidence(_documents(**files)).facts)


def _answers(network: Network, kind: str) -> list[set[str]]:
    return [set(s.answers) for group in collect(network) for s in group.sightings if s.question.kind == kind]


def test_the_clients_own_look_up_names_the_client() -> None:
    assert _network().flow.client == CLIENT


def test_a_capture_for_both_ports_shows_how_far_requests_get() -> None:
    assert _answers(_network(**{PORTS: ARRIVES}), "progress") == [{"arrives"}]
    assert _answers(_network(**{PORTS: ARRIVES + TO_POD}), "progress") == [{"to-pod"}]
    assert _answers(_network(**{PORTS: ARRIVES + TO_POD + ANSWER}), "progress") == [{"leaves"}]


def test_what_others_ask_a_pod_leaves_open_how_far_the_request_got() -> None:
    probe = TO_POD.replace("51514", "40001")
    assert _answers(_network(**{PORTS: ARRIVES + probe}), "progress") == [{"arrives", "to-pod"}]


def _one_leg(*packets: str, name: str = "tcpdump-n-i-eth0-port-80.ash.txt") -> dict[str, str]:
    return {name: "".join(packets)}


def test_an_answer_seen_on_one_interface_leaves_the_node() -> None:
    request = f"10:00:00.100101 IP {CLIENT}.51514 > {VIP}.80: Flags [S], seq 1, win 64240, length 0\n"
    answer = f"10:00:00.100640 IP {VIP}.80 > {CLIENT}.51514: Flags [S.], seq 9, ack 2, win 65160, length 0\n"
    again = "".join(request.replace("00.100101", f"0{i}.100101") for i in range(4))
    assert _answers(_network(**_one_leg(request, answer)), "progress") == [{"leaves"}]
    silent = [{"arrives", "bounced", "to-pod", "answered"}]
    assert _answers(_network(**_one_leg(again)), "progress") == silent
    assert _answers(_network(**_one_leg(request)), "progress") == []  # one request may have been answered later
    filtered = f"tcpdump-n-i-eth0-dst-host-{VIP}.ash.txt"
    assert _answers(_network(**_one_leg(again, name=filtered)), "progress") == []
    found = diagnose(_documents(**_one_leg(again)), Options())
    beyond = {c.class_: c.probability for c in found.causes if c.class_ in {"return-no-route-to-client", "fabric-acl"}}
    assert all(p < 0.1 for p in beyond.values())


def test_tracked_connections_show_how_far_they_came() -> None:
    entry = (
        f"tcp      6 57 SYN_RECV src={CLIENT} dst={VIP} sport=51514 dport=80 "
        f"src={POD} dst=192.0.2.11 sport=8080 dport=51514 mark=0 use=1\n"
    )
    assert _answers(_network(**{f"conntrack-L-d-{VIP}.ash.txt": entry}), "tracked") == [{"half-open"}]


def test_an_answer_that_leaves_acquits_the_node() -> None:
    found = diagnose(_documents(**{PORTS: ARRIVES + TO_POD + ANSWER, "ip-addr.ash.txt": ONE_LEG}), Options())
    causes = {c.class_: c.probability for c in found.causes}
    assert causes.get("ingress-host-firewall", 0.0) < 0.05
    assert "return-wrong-interface-multihomed" not in causes


def test_a_rule_ahead_of_the_translation_is_a_host_firewall() -> None:
    saved = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport {} -j DROP\nCOMMIT\n"
    there, other = _network(**{"iptables-save.ash.txt": saved.format(80)}), saved.format(81)
    assert there.seen("node/ash", HOST_FIREWALL) == "drop"
    assert _network(**{"iptables-save.ash.txt": other}).seen("node/ash", HOST_FIREWALL) is None


def test_a_client_with_an_address_of_the_node_is_a_martian_there() -> None:
    bridge = f"3: docker0: <BROADCAST,MULTICAST,UP> mtu 1500\n    inet {CLIENT}/32 scope global docker0\n"
    assert _network(**{"ip-addr.ash.txt": ONE_LEG + bridge}).seen("node/ash", MARTIAN) is True
    routed = f"{CLIENT} via 192.0.2.1 dev eth0 src 192.0.2.11 uid 0\n    cache\n"
    assert _network(**{f"ip-route-get-{CLIENT}.ash.txt": routed}).seen("node/ash", MARTIAN) is False


def test_a_node_with_one_leg_has_no_other_interface() -> None:
    assert _network(**{"ip-addr.ash.txt": ONE_LEG}).seen("node/ash", MULTIHOMED_DOUBT) == ""
    assert _network(**{"ip-addr-show-eth0.ash.txt": ONE_LEG}).seen("node/ash", MULTIHOMED_DOUBT) is None


def test_who_asks_the_segment_for_the_address_is_the_router() -> None:
    asked = f"10:00:00.200101 ARP, Request who-has {VIP.replace('203.0.113', '192.0.2')} tell 192.0.2.1, length 46\n"
    files = {
        "kubectl-get-svc-web-o-yaml.yaml": SERVICE.replace(VIP, "192.0.2.9"),
        f"curl-m-5-http-{VIP}.client.txt": TRIED.replace(VIP, "192.0.2.9"),
        f"ip-route-get-{VIP}.client.txt": LOOKED_UP.replace(VIP, "192.0.2.9"),
        "tcpdump-ni-eth0-arp.ash.txt": asked,
        "ip-route.ash.txt": "default via 192.0.2.77 dev eth0\n192.0.2.0/24 dev eth0 proto kernel scope link\n",
    }
    assert "leads to 192.0.2.77" in (_network(**files).seen("node/ash", DEFAULT_DOUBT) or "")


def test_the_router_is_whom_the_speaker_is_told_to_peer_with() -> None:
    daemons = """apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-router, namespace: kube-system}
spec: {template: {spec: {containers: [{name: kube-router, args: ["--peer-router-ips=192.0.2.1"]}]}}}
"""
    files = {"kubectl-get-ds-kube-router-o-yaml.yaml": daemons, "ip-route.ash.txt": "default via 192.0.2.77 dev eth0\n"}
    assert "leads to 192.0.2.77" in (_network(**files).seen("node/ash", DEFAULT_DOUBT) or "")


def test_pings_of_two_sizes_tell_of_the_path() -> None:
    head = "PING 192.0.2.11 (192.0.2.11) {0}({1}) bytes of data.\n"
    replies = head + "{2} bytes from 192.0.2.11: icmp_seq=1 ttl=63 time=0.5 ms\n\n" + STATISTICS.format(1, 0)
    silent = head.format(1472, 1500) + "\n" + STATISTICS.format(0, 100)
    small = {"ping-M-do-s-1200-c-1-192.0.2.11.client.txt": replies.format(1200, 1228, 1208)}
    large = "ping-M-do-s-1472-c-1-192.0.2.11.client.txt"
    assert _answers(_network(**small, **{large: silent}), "sizes") == [{"large-fails"}]
    assert _answers(_network(**small, **{large: replies.format(1472, 1500, 1480)}), "sizes") == [{"alike"}]


def test_a_policy_for_hosts_is_read_as_it_stands() -> None:
    endpoint = """apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: ash, labels: {host: k8s}}
spec: {node: ash, interfaceName: "*"}
"""
    policy = """apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: hosts}
spec:
  preDNAT: true
  applyOnForward: true
  selector: host == 'k8s'
  ingress:
  - {action: Allow, source: {nets: [192.0.2.0/24]}}
  - {action: Allow, protocol: TCP, destination: {ports: [22, %s]}}
  - {action: Deny}
"""
    files = {"kubectl-get-hostendpoints-o-yaml.yaml": endpoint}
    closed = _network(**files, **{"kubectl-get-globalnetworkpolicies-o-yaml.yaml": policy % 443})
    assert closed.seen("node/ash", HOST_ENDPOINT_DROP) is True
    assert closed.seen("node/ash", HOST_POLICY_SPARES) is True
    opened = _network(**files, **{"kubectl-get-globalnetworkpolicies-o-yaml.yaml": policy % 80})
    assert opened.seen("node/ash", HOST_ENDPOINT_DROP) is None


def test_rules_of_nft_decide_where_all_their_conditions_are_known() -> None:
    rules = """table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy accept;
		counter packets 632 bytes 37920 jump DOCKER-USER
	}
	chain DOCKER-USER {
		ct state related,established counter packets 6120 bytes 367200 return
		ip saddr { 192.0.2.12, 10.244.0.0/16 } counter packets 20 bytes 1200 return
		iifname "eth0" counter packets 766 bytes 45960 drop
	}
}
"""
    network = _network(**{"nft-list-ruleset.ash.txt": rules, "ip-addr.ash.txt": ONE_LEG})
    assert network.seen("node/ash", FORWARD_DROP) is True
    assert network.seen("node/ash", FORWARD_SPARES) is True


def test_a_chain_of_nft_ahead_of_the_translation_is_a_host_firewall_that_spares_the_pods_port() -> None:
    rules = """table ip raw {
	chain PREROUTING {
		type filter hook prerouting priority raw; policy accept;
		tcp dport 80 counter packets 12 bytes 720 drop
	}
}
"""
    network = _network(**{"nft-list-ruleset.ash.txt": rules})
    assert network.seen("node/ash", HOST_FIREWALL) == "drop"
    assert network.seen("node/ash", HOST_FIREWALL_SPARES) is True


def test_what_a_node_tracks_has_arrived_there() -> None:
    entry = (
        f"udp      17 29 src={CLIENT} dst={VIP} sport=51514 dport=80 [UNREPLIED] "
        f"src={VIP} dst={CLIENT} sport=80 dport=51514 mark=0 use=1\n"
    )
    assert _answers(_network(**{f"conntrack-L-d-{VIP}.ash.txt": entry}), "capture") == [{"seen"}]


def test_rules_of_the_other_backend_are_told_apart() -> None:
    legacy = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD {} [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    mixed = _network(**{"iptables-legacy-save.ash.txt": legacy.format("DROP")})
    assert mixed.seen("node/ash", MIXED_BACKENDS) is True
    assert mixed.seen("node/ash", FORWARD_DROP) is None
    harmless = _network(**{"iptables-legacy-save.ash.txt": legacy.format("ACCEPT")})
    assert harmless.seen("node/ash", TWO_BACKENDS) is False
