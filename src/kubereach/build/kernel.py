"""A node's kernel, datapath and tables from sysctls, route look-ups and statements about them → leaves of the node."""

from __future__ import annotations

import re

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.model.attribute import (
    ADDRESSES,
    BE_LIBERAL,
    DATAPATH_DEVICES,
    FORWARDING,
    FORWARDING_OFF,
    MARTIAN,
    NODE_PORT_RANGE,
    OBEYS_REDIRECTS,
    PROXY_MODE,
    REVERSE_PATH,
    RP_FILTER_DROP,
    RULES_MANAGED,
    TABLE_FULL,
    TWO_BACKENDS,
)
from kubereach.model.fact import Fact, InterfaceAddress, ProbeResult, RouteLookup, Setting, VirtualServer
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.network import Flow

_RP_FILTER = r"(?:sysctl )?(?:net\.ipv4\.conf\.)?([\w@.-]{1,32}?)\.?rp_filter$"
_IP_FORWARD = r"(?:sysctl )?(?:net\.ipv4\.)?ip_forward$"
_IF_FORWARD = r"(?:sysctl )?net\.ipv[46]\.conf\.(.{1,32})\.forwarding$"
_DEVICES = r"(?:cilium\.|helm\.)?devices?$|cilium.{0,20}\bdevices$|bpfDataIfacePattern$|.{0,40}\bbpfDataIfacePattern$"
# Programs that take away rules and routes which they did not make (systemd 249's ManageForeignRoutingPolicyRules).
_MANAGER = r"\b(?:systemd-networkd|netplan|NetworkManager)\b"
_PRODUCT = frozenset({"cni", "dataplane", "data-plane", "kube-proxy", "kube-proxy.mode", "service-proxy"})
_REPLACES = r"\be?bpf\b|kube-?proxy.?replacement|replaces kube-proxy|\bkpr\b"
METRICS_PORT = 10249
_MODES = frozenset({"iptables", "ipvs", "nftables"})
_IPVS_INTERFACES = r"kube-ipvs\d|kube-dummy-if"
OWN_INTERFACES = rf"{_IPVS_INTERFACES}|lo|dummy\d*"


def put_kernel(facts: tuple[Fact, ...], hosts: Hosts, flow: Flow, leaves: Leaves) -> None:
    """Put what settings decide; of several reverse-path filters of a node the strictest stands for it."""
    counts: dict[tuple[str, str], tuple[int, Fact]] = {}
    for fact in facts:
        if isinstance(fact, RouteLookup):
            _lookup(fact, hosts, flow, leaves)
        elif isinstance(fact, InterfaceAddress):
            _own_address(fact, hosts, flow, leaves)
        elif isinstance(fact, Setting) and not fact.given:
            subject = _host(fact, hosts)
            if subject:
                _setting(fact, subject, leaves)
                _counter(fact, subject, counts)
    _put_redirects(facts, leaves)
    _put_tables(counts, leaves)
    _put_martian(flow, leaves)


def put_proxy_mode(facts: tuple[Fact, ...], objects: dict[ObjectKey, KubeObject], leaves: Leaves) -> None:
    """EBPF in kube-proxy's place, where Cilium's or Calico's own settings, or words about them, say so; and IPVS.

    Virtual servers of pods, and services' addresses on an interface, are IPVS mode's alone (kubernetes
    pkg/proxy/ipvs/proxier.go; kube-router pkg/controllers/proxy/network_services_controller.go). kube-proxy names its
    mode itself at /proxyMode of its metrics port (cmd/kube-proxy/app/server.go, serveMetrics).
    """
    for fact in facts:
        if isinstance(fact, ProbeResult) and fact.port == METRICS_PORT and fact.reason in _MODES:
            leaves.put("cluster", PROXY_MODE, fact.reason, (fact.origin,), fact.trust)
        if not isinstance(fact, Setting) or fact.given or fact.subject not in {"cluster", ""}:
            continue
        value = str(fact.value).strip().lower()
        named = re.search(r"kube-?proxy-?replacement$|\bbpfEnabled$", fact.attribute, re.IGNORECASE)
        said = fact.attribute.lower() in _PRODUCT and re.search(_REPLACES, value)
        if (named and value in {"true", "strict", "enabled"}) or said:
            leaves.put("cluster", PROXY_MODE, "ebpf", (fact.origin,), fact.trust)
    held = [f for f in facts if (isinstance(f, VirtualServer) and _serves_pods(f)) or _is_on_ipvs_interface(f)]
    if held and leaves.get("cluster", PROXY_MODE) is None:
        leaves.put("cluster", PROXY_MODE, "ipvs", (held[0].origin,), held[0].trust)
    for (kind, _, _), entry in objects.items():
        path = {"FelixConfiguration": "spec.bpfEnabled", "Installation": "spec.calicoNetwork.linuxDataplane"}.get(kind)
        if path and str(entry.value(path)).lower() in {"true", "bpf"}:
            leaves.put("cluster", PROXY_MODE, "ebpf", entry.origins(path), entry.trust(path))


def _is_on_ipvs_interface(fact: Fact) -> bool:
    return isinstance(fact, InterfaceAddress) and re.match(_IPVS_INTERFACES, fact.interface) is not None


def _serves_pods(fact: VirtualServer) -> bool:
    """A balancer before the cluster has virtual servers too; it sends to node ports."""
    return any(real.port not in NODE_PORT_RANGE for real in fact.real_servers)


def _host(fact: Setting, hosts: Hosts) -> str:
    """The node that a setting is of; `cluster` for one of every node or of nobody in particular."""
    if fact.subject in {"", "cluster"} or "*" in fact.subject:
        return "cluster"
    return hosts.resolve(fact.subject) if fact.subject.startswith("node/") else ""


def _setting(fact: Setting, subject: str, leaves: Leaves) -> None:
    if re.fullmatch(r"ip6?tables\.legacy-tables", fact.attribute):
        leaves.put(subject, TWO_BACKENDS, value=True, origins=(fact.origin,), trust=fact.trust)
        return
    where, number = (fact.origin,), _number(fact)
    if re.fullmatch(_RP_FILTER, fact.attribute) and number is not None:
        # 1 is stricter than 2, which is stricter than 0; the kernel takes the larger of `all` and the interface's.
        known = leaves.get(subject, REVERSE_PATH)
        if known is None or (number == 1 and known != 1):
            leaves.table.pop(REVERSE_PATH.of(subject), None)
            leaves.put(subject, REVERSE_PATH, number, where, fact.trust)
    elif re.fullmatch(_IP_FORWARD, fact.attribute) and number is not None:
        leaves.put(subject, FORWARDING, number == 1, where, fact.trust)
        if number == 0:
            leaves.put(subject, FORWARDING_OFF, value=True, origins=where, trust=fact.trust)
    elif (match := re.fullmatch(_IF_FORWARD, fact.attribute)) and number == 0 and match[1] not in {"lo", "default"}:
        leaves.put(subject, FORWARDING_OFF, value=True, origins=where, trust=fact.trust)
    elif "nf_conntrack_tcp_be_liberal" in fact.attribute and number is not None:
        leaves.put(subject, BE_LIBERAL, number != 0, where, fact.trust)
    elif re.search(_MANAGER, f"{fact.attribute} {fact.value}", re.IGNORECASE):
        leaves.put("cluster", RULES_MANAGED, value=True, origins=where, trust=fact.trust)
    elif re.fullmatch(_DEVICES, fact.attribute):
        leaves.put("cluster", DATAPATH_DEVICES, value=True, origins=where, trust=fact.trust)


def _put_redirects(facts: tuple[Fact, ...], leaves: Leaves) -> None:
    """Whether the client obeys ICMP redirects: a host does where `all` or the interface says so (Linux ip-sysctl)."""
    pattern = r"sysctl net\.ipv4\.conf\.(?!default)[\w@.-]{1,32}\.accept_redirects"
    asked = [
        f for f in facts if isinstance(f, Setting) and f.subject == "client" and re.fullmatch(pattern, f.attribute)
    ]
    if asked:
        obeys = any(_number(f) for f in asked)
        leaves.put("client", OBEYS_REDIRECTS, value=obeys, origins=tuple(f.origin for f in asked), trust=asked[0].trust)


def _number(fact: Setting) -> int | None:
    text = str(fact.value).strip().lower()
    if text in {"true", "on", "yes", "strict"}:
        return 1
    if text in {"false", "off", "no"}:
        return 0
    return int(text) if re.fullmatch(r"\d{1,3}", text) else 2 if text == "loose" else None


def _counter(fact: Setting, subject: str, counts: dict[tuple[str, str], tuple[int, Fact]]) -> None:
    found = re.search(r"nf_conntrack_(count|max)$|neigh\.default\.gc_thresh(3)$", fact.attribute)
    if found and str(fact.value).isdecimal():
        counts[(subject, found[1] or "neighbours")] = (int(str(fact.value)), fact)


def _put_tables(counts: dict[tuple[str, str], tuple[int, Fact]], leaves: Leaves) -> None:
    """A connection table whose count has reached its maximum drops what is new (nf_conntrack_core.c)."""
    for (subject, name), (used, fact) in counts.items():
        most = counts.get((subject, "max"))
        if name == "count" and most:
            full = used >= 0.98 * most[0]
            leaves.put(subject, TABLE_FULL, value=full, origins=(fact.origin, most[1].origin), trust=fact.trust)


def _lookup(fact: RouteLookup, hosts: Hosts, flow: Flow, leaves: Leaves) -> None:
    """`ip route get DESTINATION from CLIENT iif INTERFACE` runs the kernel's own source check (fib_frontend.c).

    A client's address that a node has a route of type local for is the node's own as well.
    """
    node = hosts.resolve(fact.device, node_like=True) or "cluster"
    if fact.kind == "rpf-fail":
        leaves.put(node, RP_FILTER_DROP, value=True, origins=(fact.origin,), trust=fact.trust)
    elif fact.kind == "martian" or (fact.kind == "local" and _outside(fact.address, flow, hosts)):
        leaves.put(node, MARTIAN, value=True, origins=(fact.origin,), trust=fact.trust)
    elif fact.kind == "unicast" and node != "cluster" and _outside(fact.address, flow, hosts):
        leaves.put(node, MARTIAN, value=False, origins=(fact.origin,), trust=fact.trust)


def _own_address(fact: InterfaceAddress, hosts: Hosts, flow: Flow, leaves: Leaves) -> None:
    """A client whose address the node itself holds, as a service's address on a dummy device, is a martian there."""
    dummy = re.fullmatch(OWN_INTERFACES, fact.interface)
    if fact.address == flow.client and (dummy or _outside(fact.address, flow, hosts)):
        node = hosts.resolve(fact.device, node_like=True) or "cluster"
        leaves.put(node, MARTIAN, value=True, origins=(fact.origin,), trust=fact.trust)


def _outside(address: str, flow: Flow, hosts: Hosts) -> bool:
    """Whether it is the address of a client that is no node."""
    client = flow.source == "client" and address == flow.client != ""
    return client and hosts.owners.get(address) not in hosts.nodes


def _put_martian(flow: Flow, leaves: Leaves) -> None:
    """A client with a service's own address: in IPVS mode that address is local on every node (kube-proxy.md 3.1)."""
    if not flow.client or leaves.get("cluster", PROXY_MODE) != "ipvs":
        return
    for (subject, name), seen in list(leaves.table.items()):
        held = seen.value if name == ADDRESSES.name and subject.startswith("service/") else ()
        if isinstance(held, tuple) and flow.client in held:
            leaves.put("cluster", MARTIAN, value=True, origins=seen.origins, trust=seen.trust)
