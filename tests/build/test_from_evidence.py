"""Settings that only whole outputs give: who announces, what a router translates, which try is no flow."""

from __future__ import annotations

import pytest

from kubereach.build.assemble import build
from kubereach.build.target import Choice
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.attribute import ANNOUNCER, NOT_PROGRAMMED, PEERS, POOL_OFFLINK, PROXY_MODE, ROUTER_NAT_DOUBT, Peer
from kubereach.model.network import Network

KUBE_VIP = """apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: kube-vip-ds
  namespace: kube-system
spec:
  template:
    spec:
      containers:
      - name: kube-vip
        env:
        - name: vip_arp
          value: "{arp}"
        - name: bgp_enable
          value: "{bgp}"
"""
ROUTER = """2: eth0: <BROADCAST,UP> mtu 1500 state UP
    inet 10.1.0.1/24 scope global eth0
3: eth1: <BROADCAST,UP> mtu 1500 state UP
    inet 198.51.100.2/30 scope global eth1
"""
NODES = """NAME   STATUS   ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP
w1     Ready    <none>   2d    v1.30.4   10.1.0.11     <none>
"""
PENDING = """NAMESPACE   NAME   TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)        AGE
shop        cart   LoadBalancer   10.96.0.40   <pending>     80:30080/TCP   2d
"""


def _built(**documents: str) -> Network:
    files = [Document(name.replace("__", ".").replace("_", "-"), text.encode()) for name, text in documents.items()]
    return build(read_evidence(files).facts, Choice())


@pytest.mark.parametrize(
    ("arp", "bgp", "announcer"), [("true", "false", "kube-vip-arp"), ("false", "true", "kube-vip-bgp")]
)
def test_kube_vip_announces_as_its_environment_says(arp: str, bgp: str, announcer: str) -> None:
    found = _built(kubectl_get_ds_n_kube_system_kube_vip_ds_o_yaml__yaml=KUBE_VIP.format(arp=arp, bgp=bgp))
    assert found.seen("cluster", ANNOUNCER) == announcer


CILIUM = """apiVersion: cilium.io/v2alpha1
kind: CiliumBGPClusterConfig
metadata:
  name: cluster
spec:
  bgpInstances:
  - name: main
    localASN: 64512
    peers:
    - name: tor
      peerASN: 65010
      peerAddress: 10.1.0.1
"""
KUBE_ROUTER = """apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: kube-router
  namespace: kube-system
spec:
  template:
    spec:
      containers:
      - name: kube-router
        args:
        - --run-router=true
        - --peer-router-ips=10.1.0.1,10.1.0.2
        - --peer-router-asns=65010,65011
"""


def test_the_peers_that_speakers_name_themselves() -> None:
    kube_vip = KUBE_VIP.format(arp="false", bgp="true")
    kube_vip += '        - name: bgp_peers\n          value: "10.1.0.1:65010::true,10.1.0.2:65011::false"\n'
    first, second = Peer("10.1.0.1", 65010), Peer("10.1.0.2", 65011)
    for text, expected in (
        (CILIUM, (first,)),
        (KUBE_ROUTER, (first, second)),
        (kube_vip, (Peer("10.1.0.1", 65010, multihop=True), second)),
    ):
        assert _built(kubectl_get_all__yaml=text).seen("cluster", PEERS) == expected


PROXIED = """apiVersion: v1
kind: Service
metadata:
  name: cart
  namespace: shop
spec:
  clusterIP: 10.96.0.40
  type: LoadBalancer
  ports:
  - port: 80
    targetPort: 8080
status:
  loadBalancer:
    ingress:
    - ip: 203.0.113.7
      ipMode: {mode}
"""


@pytest.mark.parametrize(("mode", "passed_over"), [("Proxy", True), ("VIP", None)])
def test_an_address_of_mode_proxy_is_passed_over(mode: str, *, passed_over: bool | None) -> None:
    found = _built(kubectl_get_svc_o_yaml__yaml=PROXIED.format(mode=mode), kubectl_get_nodes_o_wide__txt=NODES)
    assert found.seen("node/w1", NOT_PROGRAMMED) is passed_over


@pytest.mark.parametrize(
    ("rules", "doubted"),
    [
        (":POSTROUTING ACCEPT [0:0]", False),
        ("-A POSTROUTING -o eth1 -j MASQUERADE", False),
        ("-A POSTROUTING -o eth0 -j MASQUERADE", True),
        ("-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.1.0.9:80", True),
    ],
)
def test_only_a_rule_that_may_meet_the_flow_is_a_doubt_about_the_routers_nat(rules: str, *, doubted: bool) -> None:
    found = _built(
        iptables_save__router__txt=f"*nat\n:PREROUTING ACCEPT [0:0]\n{rules}\nCOMMIT\n",
        ip_addr__router__txt=ROUTER,
        kubectl_get_nodes_o_wide__txt=NODES,
    )
    doubt: str | None = found.seen("router", ROUTER_NAT_DOUBT)
    assert doubt is not None
    assert bool(doubt) is doubted


def test_a_try_of_the_hosts_own_loopback_is_no_flow() -> None:
    found = _built(
        kubectl_get_svc_A__txt=PENDING,
        post__w1__txt="$ curl -s http://localhost:10249/proxyMode\n"
        "curl: (7) Failed to connect to localhost port 10249: Connection refused\n",
    )
    assert (found.flow.service, found.flow.address, found.flow.port) == ("service/shop/cart", "", 80)


WAITING = """apiVersion: v1
kind: Service
metadata:
  name: portal
  namespace: default
spec:
  clusterIP: 10.96.12.34
  externalTrafficPolicy: Local
  healthCheckNodePort: 32028
  ports: [{name: http, nodePort: 31080, port: 80, protocol: TCP}]
  type: LoadBalancer
status:
  loadBalancer: {}
"""


def test_a_health_check_of_a_waiting_service_is_not_the_flow() -> None:
    asked = '- {probe: http, from: node/gate-1, to: "192.168.33.11:32028", result: refused}\n'
    flow = _built(**{"svc.yaml": WAITING, "observed.yaml": asked}).flow
    assert (flow.service, flow.address) == ("service/default/portal", "")


@pytest.mark.parametrize(("bound", "announcer"), [(False, "kernel-l2"), (True, "metallb-l2")])
def test_nothing_announces_an_external_address_unless_a_host_has_it(*, bound: bool, announcer: str) -> None:
    external = WAITING.replace("  type: LoadBalancer", "  externalIPs: [192.168.33.5]\n  type: ClusterIP")
    pool = "- {subject: cluster, attribute: load-balancer, value: 'MetalLB, layer 2'}\n"
    held = "- {subject: node/gate-1, attribute: interface eth0 addresses, value: 192.168.33.5/24}\n" if bound else ""
    network = _built(**{"svc.yaml": external, "stated.yaml": pool + held})
    assert network.seen("cluster", ANNOUNCER) == announcer


BOUND = """4: {interface}: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default
    inet 203.0.113.40/32 scope global {interface}
       valid_lft forever preferred_lft forever
"""


@pytest.mark.parametrize(
    ("interface", "mode"), [("kube-ipvs0", "ipvs"), ("kube-dummy-if", "ipvs"), ("lo", None), ("dummy0", None)]
)
def test_services_addresses_on_an_interface_are_ipvs(interface: str, mode: str | None) -> None:
    documents = (
        Document("kubectl-get-nodes-o-wide.txt", NODES.encode()),
        Document("ip-addr.w1.txt", BOUND.format(interface=interface).encode()),
    )
    assert build(read_evidence(documents).facts).seen("cluster", PROXY_MODE) == mode


TRIED = "$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 milliseconds\n"


@pytest.mark.parametrize(
    ("name", "text", "off"),
    [
        ("ip-route.w1.txt", "203.0.113.0/24 dev eth1 proto kernel scope link src 203.0.113.4\n", False),
        ("ip-neigh.router.txt", "203.0.113.9 dev eth0 lladdr 02:00:5e:00:53:01 REACHABLE\n", False),
        ("ip-neigh.router.txt", "203.0.113.9 dev eth0 FAILED\n", None),
        ("ip-route.w1.txt", "default via 10.1.0.1 dev eth0\n203.0.113.9 dev cali1 scope link\n", None),
    ],
)
def test_what_shows_the_address_on_a_segment(name: str, text: str, *, off: bool | None) -> None:
    """A second network of the nodes holds it, or somebody resolved it; one pod's route is no segment."""
    documents = [Document("kubectl-get-nodes-o-wide.txt", NODES.encode()), Document(name, text.encode())]
    network = build(read_evidence([*documents, Document("curl.client.txt", TRIED.encode())]).facts)
    assert network.seen(network.flow.service, POOL_OFFLINK) is off
