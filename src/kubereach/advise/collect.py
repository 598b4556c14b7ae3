"""What to collect: the whole list when nothing is known yet, or what the evidence at hand leaves open, best first."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from kubereach.model.diagnosis import Answer, Diagnosis

KUBECTL = "any host with kubectl"
NODE = "each node"
ROUTER = "the router"
CLIENT = "the client"
PLACES = (KUBECTL, CLIENT, NODE, ROUTER)


class Item(Struct, frozen=True, kw_only=True):
    """One output to collect. `privilege` is none, exec, root or router; `only_if` says when it makes sense."""

    where: str
    command: str
    gives: str
    privilege: str = "none"
    only_if: str = ""
    separates: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()  # what it may show, and what that would mean


class Names(Struct, frozen=True, kw_only=True):
    """What the commands are filled with; a word in capitals stands for what is not known."""

    namespace: str = "NAMESPACE"
    service: str = "NAME"
    address: str = "ADDRESS"
    port: str = "PORT"

    def fill(self, command: str) -> str:
        """`command` with the names put in for its placeholders."""
        values = {"NAMESPACE": self.namespace, "NAME": self.service, "ADDRESS": self.address, "PORT": self.port}
        return re.sub(r"\b(?:NAMESPACE|NAME|ADDRESS|PORT)\b", lambda match: values[match[0]], command)


# (place, privilege, only if, command, what it gives), the most telling of each place first.
_ALL = (
    (KUBECTL, "none", "", "kubectl get svc -n NAMESPACE NAME -o yaml", "the service's address, ports and policies"),
    (KUBECTL, "none", "", "kubectl describe svc -n NAMESPACE NAME", "the events: who assigned and announced it"),
    (
        KUBECTL,
        "none",
        "",
        "kubectl get endpointslices -n NAMESPACE -l kubernetes.io/service-name=NAME -o yaml",
        "where its ready pods are",
    ),
    (KUBECTL, "none", "", "kubectl get nodes -o wide --show-labels", "addresses, readiness and labels of the nodes"),
    (KUBECTL, "none", "", "kubectl get pods -A -o wide", "which agents run where, and whether they are ready"),
    (KUBECTL, "none", "", "kubectl get networkpolicies -n NAMESPACE -o yaml", "who may reach the pods"),
    (KUBECTL, "none", "", "kubectl get cm -n kube-system kube-proxy -o yaml", "kube-proxy's mode and strictARP"),
    (
        KUBECTL,
        "none",
        "with MetalLB",
        "kubectl get -n metallb-system ipaddresspools,l2advertisements,bgpadvertisements,bgppeers.metallb.io -o yaml",
        "the pools and how they are announced",
    ),
    (
        KUBECTL,
        "none",
        "with MetalLB",
        "kubectl logs -n metallb-system -l component=speaker --prefix --tail=-1",
        "which node announces the address, and why the others do not",
    ),
    (
        KUBECTL,
        "none",
        "with Calico",
        "kubectl get bgpconfigurations,bgppeers,bgpfilters,ippools -o yaml",
        "what Calico announces, and to whom",
    ),
    (
        KUBECTL,
        "exec",
        "with Calico; once for each calico-node pod",
        "kubectl exec -n calico-system POD -c calico-node -- birdcl show protocols all",
        "the BGP sessions of that node and their last errors",
    ),
    (
        KUBECTL,
        "none",
        "with Cilium",
        "kubectl get ciliumloadbalancerippools,ciliuml2announcementpolicies,ciliumbgpclusterconfigs -A -o yaml",
        "the pools and how they are announced",
    ),
    (KUBECTL, "none", "with Cilium", "cilium bgp peers", "the BGP sessions of every node"),
    (KUBECTL, "none", "with Cilium or kube-vip", "kubectl get leases -A", "which node announces the address"),
    (CLIENT, "none", "", "curl -sv -m 5 -o /dev/null http://ADDRESS:PORT/", "whether the service answers"),
    (CLIENT, "none", "", "nc -zv -w 5 ADDRESS PORT", "whether the port opens, is refused, or stays silent"),
    (CLIENT, "none", "", "ping -c 4 ADDRESS", "who answers for the address, and from how far away"),
    (CLIENT, "none", "", "traceroute -n ADDRESS", "the routers on the way, and where the way ends"),
    (CLIENT, "none", "on Linux", "ip route get ADDRESS", "which way the client sends it"),
    (CLIENT, "none", "on macOS and Windows", "netstat -rn", "which way the client sends it"),
    (CLIENT, "none", "in the address's own network", "arp -an", "which MAC address the client has for it"),
    (NODE, "none", "", "ip addr", "the addresses that the node holds"),
    (NODE, "none", "", "ip route", "where it sends the replies, and the pods' blocks"),
    (NODE, "none", "", "ip neigh", "which neighbours it knows on the wire"),
    (NODE, "none", "", "ip rule", "whether replies take another table"),
    (
        NODE,
        "none",
        "",
        (
            "sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.conf.all.arp_ignore "
            "net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max"
        ),
        "whether it forwards, and what it drops",
    ),
    (NODE, "root", "", "ss -tlnp", "who listens on the port, and on 179"),
    (NODE, "root", "kube-proxy in iptables mode", "iptables-save", "what becomes of the packet, and what drops it"),
    (NODE, "root", "kube-proxy in IPVS mode", "ipvsadm -Ln", "which service addresses it serves, and with which pods"),
    (NODE, "root", "kube-proxy in nftables mode", "nft list ruleset", "what becomes of the packet, and what drops it"),
    (NODE, "root", "", "conntrack -L -d ADDRESS", "where a connection was translated to, and whether it was answered"),
    (
        NODE,
        "root",
        "while the client tries",
        "tcpdump -n -e -i any -c 40 host ADDRESS",
        "whether the packets arrive, where they go on to, and what comes back",
    ),
    (NODE, "none", "", "nstat -az", "what the kernel has dropped, and why"),
    (
        ROUTER,
        "router",
        "MikroTik",
        "/ip route print detail where dst-address in ADDRESS",
        "the next hop that it chose, and by which protocol",
    ),
    (
        ROUTER,
        "router",
        "MikroTik, RouterOS 7",
        "/routing/bgp/session/print",
        "its BGP sessions with the nodes, and why one ended",
    ),
    (ROUTER, "router", "MikroTik, RouterOS 6", "/routing bgp peer print status", "its BGP sessions with the nodes"),
    (ROUTER, "router", "MikroTik", "/ip firewall filter print", "whether it drops what it forwards"),
    (ROUTER, "router", "MikroTik", "/ip arp print", "which MAC address it has for the address"),
    (ROUTER, "root", "Linux", "ip route get ADDRESS", "the next hop that it chose"),
    (ROUTER, "root", "FRR or VyOS", "vtysh -c 'show bgp summary'", "its BGP sessions with the nodes"),
    (ROUTER, "root", "FRR or VyOS", "vtysh -c 'show ip route ADDRESS'", "the next hop that it chose"),
    (ROUTER, "router", "Cisco, Arista", "show ip route ADDRESS", "the next hop that it chose"),
    (ROUTER, "router", "Cisco, Arista", "show ip bgp summary", "its BGP sessions with the nodes"),
    (ROUTER, "router", "Cisco, Arista", "show ip arp", "which MAC address it has for the address"),
)


def full(names: Names) -> tuple[Item, ...]:
    """Everything that could matter for one flow, by place, the most telling first."""
    return tuple(
        Item(where=where, privilege=privilege, only_if=only_if, command=names.fill(command), gives=gives)
        for where, privilege, only_if, command, gives in _ALL
    )


def remaining(diagnosis: Diagnosis) -> tuple[Item, ...]:
    """What the diagnosis asks for: its questions, the best first, then what was not collected at all."""
    items: dict[tuple[str, str], Item] = {}
    for found in diagnosis.next_probes:
        gives = f"possible answers: {', or '.join(answer.answer for answer in found.if_answer)}"
        item = Item(
            where=found.where,
            command=found.command,
            gives=gives,
            privilege=found.privilege,
            separates=found.separates,
            answers=found.if_answer,
        )
        items.setdefault((item.where, item.command), item)
    for line in diagnosis.missing:
        for item in _gap(line):
            items.setdefault((item.where, item.command), item)
    return tuple(items.values())


def _gap(line: str) -> Iterator[Item]:
    """The commands in one line of `missing`: `What it is: `COMMAND`, and `COMMAND` …`."""
    what = re.split(r":\s+`|`", line, maxsplit=1)[0].strip()
    for command in re.findall(r"`([^`]{2,400})`", line):
        yield Item(where=_place(command), command=command, gives=what[:1].lower() + what[1:])


def _place(command: str) -> str:
    if re.match(r"(?:kubectl|calicoctl|cilium|helm)\b", command):
        return KUBECTL
    if re.match(r"/|show\b|vtysh\b|display\b", command):
        return ROUTER
    if re.match(r"(?:curl|ping|traceroute|nc|nmap|tracert|mtr|dig)\b", command):
        return CLIENT
    return NODE
