"""Hosts that only prompts, file names and leases name, and whose own output or name shows them to be nodes."""

from __future__ import annotations

import re

from kubereach.build.hosts import CLIENT_NAMES, MASTER_NAMES, ROUTER_NAMES, ROUTER_WORDS, WORKER_NAMES, Hosts
from kubereach.model.address import canonical_address
from kubereach.model.fact import (
    Fact,
    Interface,
    InterfaceAddress,
    ObjectLeaf,
    Outcome,
    ProbeKind,
    ProbeResult,
    Route,
    Setting,
)
from kubereach.model.kube_object import CILIUM_LEASE

# Devices that a CNI or the service proxy makes: no client and no router outside the cluster has one.
_OF_PODS = r"cali[0-9a-f]|vxlan\.calico|lxc|cilium_|flannel\.|cni0|kube-|weave|antrea|ovn-k8s"

# A role in a host's name, and the roles alone, which name no host.
_ROLE = r"(?:^|[-_.])(?:nodes?|masters?|workers?|control-?plane)(?:$|[-_.\d])"
_ROLES = MASTER_NAMES | WORKER_NAMES | {"nodes", "masters", "workers"}
_OWN_PORTS = frozenset({10249, 10250, 10256})  # kube-proxy's metrics, the kubelet, kube-proxy's health check


def add_named_nodes(facts: tuple[Fact, ...], hosts: Hosts) -> None:
    """Know as nodes the hosts with devices or rules that nodes alone have, and those named like them.

    A name is like a node's where it says the role, or differs only behind the last dash: the makers of clusters number
    their hosts. And
    a host that is looked into, and from which the service is tried as well as from the client, is meant as a node; so
    is one that the name of a file gives beside those of the client.
    """
    for holder in sorted({name for fact in facts if (name := _holder(fact))}):
        hosts.add_node(f"node/{holder}")
    named = {name for fact in facts if (name := _host(fact)) and _strange(name, hosts)}
    shown = {name for fact in facts if (name := _host(fact)) in named and _of_a_node(fact)}
    shown |= {name for name in named if re.search(_ROLE, name, re.IGNORECASE) and name.lower() not in _ROLES}
    tries = {f.source for f in facts if isinstance(f, ProbeResult) and f.probe in {ProbeKind.HTTP, ProbeKind.TCP}}
    if any(source.lower() in CLIENT_NAMES for source in tries):
        looked_into = {_host(fact) for fact in facts if not isinstance(fact, ProbeResult)}
        filed = {name for fact in facts if (name := _host(fact)) and f".{name}." in fact.origin.source}
        shown |= named & tries & (looked_into | filed)
    stems = {_stem(name) for name in (*shown, *(n.removeprefix("node/") for n in hosts.nodes))} - {""}
    for name in sorted(named):
        if name in shown or _stem(name) in stems:
            hosts.add_node(f"node/{name}")


def _holder(fact: Fact) -> str:
    """The node that a Lease's holder names; "" where the holder is something else.

    Of kube-node-lease and of cilium-l2announce-* it is the node's name (kubelet; others.md section 1); of Cilium's
    operator the name of its node and ten random characters (operator/cmd/root.go, operatorID).
    """
    if not isinstance(fact, ObjectLeaf) or (fact.kind, fact.path) != ("Lease", "spec.holderIdentity"):
        return ""
    holder = re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,62}", str(fact.value))
    if holder and (fact.namespace == "kube-node-lease" or fact.name.startswith(CILIUM_LEASE)):
        return holder[0]
    operator = re.fullmatch(r"([a-z0-9][a-z0-9.-]{0,62})-[A-Za-z0-9]{10}", str(fact.value))
    return operator[1] if operator and fact.name == "cilium-operator-resource-lock" else ""


def _host(fact: Fact) -> str:
    name = fact.source if isinstance(fact, ProbeResult) else getattr(fact, "device", "")
    if isinstance(fact, Setting):
        name = fact.subject.removeprefix("node/")
    return str(name)


def _strange(name: str, hosts: Hosts) -> bool:
    """Whether it is a host's name that says nothing by itself."""
    lowered = name.lower()
    said = lowered in ROUTER_NAMES | CLIENT_NAMES | {"cluster", "elsewhere"} or re.match(ROUTER_WORDS, lowered)
    plain = re.fullmatch(r"[A-Za-z][\w.-]{0,62}", name) is not None and canonical_address(name) is None
    return plain and not said and not hosts.resolve(name)


def _of_a_node(fact: Fact) -> bool:
    if isinstance(fact, Route):
        return any(re.match(_OF_PODS, hop.interface) for hop in fact.next_hops)
    if isinstance(fact, InterfaceAddress):
        return re.match(_OF_PODS, fact.interface) is not None
    if isinstance(fact, Interface):
        return re.match(_OF_PODS, fact.name) is not None
    if isinstance(fact, ProbeResult):
        local = fact.target_name == "localhost" or fact.target.startswith("127.")
        return local and fact.port in _OWN_PORTS and fact.outcome is Outcome.REPLY
    return isinstance(fact, Setting) and "KUBE-" in fact.attribute


def _stem(name: str) -> str:
    """What stands before the last dash, where it is long enough to be no accident."""
    stem = name.partition(".")[0].rpartition("-")[0]
    return stem if len(stem) >= 3 else ""
