"""Settings that only whole outputs give: who announces, what a router translates, which try is no flow."""

from __future__ import annotations

import pytest

from kubereach.build.assemble import build
from kubereach.build.target import Choice
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.attribute import ANNOUNCER, ROUTER_NAT_DOUBT
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
