"""Rules and routes of nodes and routers: what decides, and what looks like a finding and is none."""

from __future__ import annotations

from kubereach.evidence.document import Document
from kubereach.model.diagnosis import Diagnosis
from kubereach.pipeline import Options, diagnose

SERVICE = """\
$ kubectl get svc -o wide
NAME   TYPE           CLUSTER-IP     EXTERNAL-IP    PORT(S)        AGE   SELECTOR
shop   LoadBalancer   10.96.11.20    10.20.30.240   80:31380/TCP   3d    app=shop
$ kubectl get nodes -o wide
NAME   STATUS   ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE   KERNEL-VERSION   CONTAINER-RUNTIME
wk-1   Ready    <none>   3d    v1.36.2   10.20.30.21   <none>        Debian     6.1.0            containerd://1.7.24
"""
MODE = """\
$ kubectl get cm -n kube-system kube-proxy -o yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: kube-proxy
  namespace: kube-system
data:
  config.conf: |
    kind: KubeProxyConfiguration
    mode: {mode}
"""
# Felix's chains, and none of kube-proxy's.
RULES = """\
$ iptables-save
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:cali-FORWARD - [0:0]
-A FORWARD -j cali-FORWARD
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:cali-POSTROUTING - [0:0]
-A POSTROUTING -j cali-POSTROUTING
COMMIT
"""
ROUTES = """\
$ ip route
default via 10.40.7.2 dev eth1
10.20.30.0/24 dev eth0 proto kernel scope link src 10.20.30.1
10.40.7.0/24 dev eth1 proto kernel scope link src 10.40.7.1
"""


def diagnosed(**outputs: str) -> Diagnosis:
    named = {"all.txt": SERVICE} | {name.replace("__", "."): text for name, text in outputs.items()}
    return diagnose([Document(f"{name}", text.encode()) for name, text in named.items()], Options())


def missing_rules(mode: str) -> list[str]:
    found = diagnosed(mode__txt=MODE.format(mode=mode), **{"iptables-save__wk-1__txt": RULES})
    return [seen.says for seen in found.observations if "no rules of the service proxy" in seen.says]


def test_iptables_without_kube_proxy_says_something_in_the_modes_that_write_there_alone() -> None:
    assert missing_rules("iptables")
    assert missing_rules("nftables") == []


def test_the_routers_own_subnet_is_no_route_that_a_node_announced() -> None:
    found = diagnosed(**{"ip-route__router__txt": ROUTES})
    assert not [seen.says for seen in found.observations if "10.20.30.0/24" in seen.says]


DROP = """\
$ iptables-save
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -d {destination} -p tcp -m comment --comment "site rule" -j DROP
COMMIT
"""


def router_drops(destination: str) -> float:
    tried = '- {probe: tcp, from: 10.40.7.20, to: "10.20.30.240:80", result: timeout}\n'
    found = diagnosed(**{"iptables-save__router__txt": DROP.format(destination=destination), "observed__yaml": tried})
    return next((c.probability for c in found.causes if c.code == "router-firewall-drop"), 0.0)


def test_a_linux_router_that_drops_the_flow_is_the_cause_and_one_that_drops_another_is_not() -> None:
    assert router_drops("10.20.30.240/32") > 0.8
    assert router_drops("10.20.30.250/32") < 0.3
