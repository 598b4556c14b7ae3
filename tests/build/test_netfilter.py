"""What a host's rules say of the packets that come in by its own interface."""

from __future__ import annotations

from kubereach.build.assemble import build
from kubereach.build.target import Choice
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.attribute import FORWARD_DROP, HOST_FIREWALL, INPUT_FIREWALL
from kubereach.model.network import Network

NODES = """$ kubectl get nodes -o wide
NAME   STATUS   ROLES           AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE   KERNEL-VERSION   RUNTIME
cp     Ready    control-plane   9d    v1.30.2   192.0.2.10    <none>        Debian     6.1.0            containerd
wk     Ready    <none>          9d    v1.30.2   192.0.2.11    <none>        Debian     6.1.0            containerd
"""
LINKS = """$ ip -4 addr
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    inet 192.0.2.11/24 brd 192.0.2.255 scope global eth0
3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    inet 198.51.100.11/24 brd 198.51.100.255 scope global eth1
"""


def _network(*rules: str) -> Network:
    lines = [
        *rules,
        "-A FORWARD -j KUBE-FORWARD",
        "-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ]
    heads = [":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ":KUBE-FORWARD - [0:0]"]
    saved = "\n".join(["$ iptables-save", "*filter", *heads, *lines, "COMMIT", ""])
    documents = [
        Document("nodes.txt", NODES.encode()),
        Document("ip-addr.wk.txt", LINKS.encode()),
        Document("iptables-save.wk.txt", saved.encode()),
    ]
    return build(read_evidence(documents).facts, Choice(address="203.0.113.9:80", client="10.9.9.9"))


def test_rule_for_the_interface_of_the_clients_decides() -> None:
    network = _network("-A FORWARD -i eth0 -p tcp -m conntrack --ctstate NEW -j DROP")
    assert network.seen("node/wk", FORWARD_DROP) is True
    assert network.seen("node/wk", HOST_FIREWALL) is None


def test_rule_for_another_interface_does_not() -> None:
    network = _network("-A FORWARD -i eth1 -p tcp -m conntrack --ctstate NEW -j DROP")
    assert network.seen("node/wk", FORWARD_DROP) is not True


def test_a_host_that_keeps_everything_out_has_a_firewall() -> None:
    network = _network(
        "-A INPUT -i eth+ -p tcp -m conntrack --ctstate NEW -j DROP",
        "-A FORWARD -i eth0 -p tcp -m conntrack --ctstate NEW -j DROP",
    )
    assert network.seen("node/wk", HOST_FIREWALL) == "drop"
    assert network.seen("node/wk", FORWARD_DROP) is not True
    assert network.seen("node/wk", INPUT_FIREWALL) is None
