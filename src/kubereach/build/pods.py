"""The pods behind a service: why there is no endpoint, whether the target port fits, whose network gave the address.

References: Kubernetes Service (selector, targetPort by number or name); crio contrib/cni (10.85.0.0/16 of its bridge).
"""

from __future__ import annotations

import re

from kubereach.build.leaves import Leaves
from kubereach.model.address import canonical_address, contains, parse_prefix
from kubereach.model.attribute import (
    ENDPOINTS,
    NOT_LISTENING,
    PORTS,
    PROXY_DOWN,
    TARGET_PORT_UNDECLARED,
    WHY_EMPTY,
    WRONG_POD_NETWORK,
    WRONG_TARGET_PORT,
)
from kubereach.model.fact import Fact, ObjectListing, Setting
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.network import Flow
from kubereach.model.origin import Origin

Objects = dict[ObjectKey, KubeObject]
# Networks that a runtime's own bridge gives when no CNI was there yet (cri-o, podman, docker).
BRIDGES = ("10.85.0.0/16", "10.88.0.0/16", "172.17.0.0/16")
_LISTENS = r"(?:.{0,40}\b)?listen(?:s|ing)?\b.{0,40}$"


class Selected:
    """The pods of a service's namespace, by how its selector meets their labels."""

    def __init__(self, service: KubeObject, objects: Objects, facts: tuple[Fact, ...]) -> None:
        self.selector = service.mapping("spec.selector")
        self.matching: list[KubeObject] = []
        self.other: list[KubeObject] = []  # labels were shown, and do not match
        named = _listed_labels(facts, service.namespace)
        for (kind, namespace, name), pod in objects.items():
            if kind != "Pod" or namespace != service.namespace:
                continue
            labels = {**named.get(name, {}), **pod.mapping("metadata.labels")}
            if not labels:
                continue
            (self.matching if self._meets(labels) else self.other).append(pod)

    def _meets(self, labels: dict[str, str]) -> bool:
        return all(labels.get(key) == value for key, value in self.selector.items())


def _listed_labels(facts: tuple[Fact, ...], namespace: str) -> dict[str, dict[str, str]]:
    """Labels that pods must have since a listing with a selector names them."""
    found: dict[str, dict[str, str]] = {}
    for fact in facts:
        if isinstance(fact, ObjectListing) and fact.kind == "Pod" and fact.namespace in {None, namespace}:
            for part in fact.selector.split(","):
                key, equals, value = part.replace("==", "=").partition("=")
                if equals and not key.endswith("!"):
                    for name in fact.names:
                        found.setdefault(name, {})[key.strip()] = value.strip()
    return found


def put_pods(objects: Objects, facts: tuple[Fact, ...], flow: Flow, leaves: Leaves) -> None:
    """Put what the objects decide about the pods of the flow's service."""
    _, namespace, name = flow.service.split("/", 2)
    service = objects.get(("Service", namespace, name))
    if service is not None:
        selected = Selected(service, objects, facts)
        _why_empty(service, selected, flow, leaves)
        _target_port(service, selected, flow, leaves)
    _networks(objects, facts, flow, leaves)
    _proxies(objects, leaves)
    _listening(facts, flow, leaves)


def _proxies(objects: Objects, leaves: Leaves) -> None:
    """Nodes whose kube-proxy does not start: a pod that is not ready, and why in kubelet's words."""
    for (kind, _, name), pod in objects.items():
        if kind != "Pod" or not re.match(r"kube-proxy-[a-z0-9]{5}$", name) or not pod.text("spec.nodeName"):
            continue
        stuck = re.search(r"BackOff|Error|Err[A-Z]|Failed|OOMKilled|Unknown|Invalid", pod.text("status.reason"))
        if stuck and pod.value("status.conditions.Ready") is not True:
            node = f"node/{pod.text('spec.nodeName')}"
            leaves.put(node, PROXY_DOWN, value=True, origins=pod.origins("status.reason"))


def _why_empty(service: KubeObject, selected: Selected, flow: Flow, leaves: Leaves) -> None:
    """Without a ready endpoint: pods that match and are not ready, or ready pods that the selector does not match."""
    seen = leaves.table.get(ENDPOINTS.of(flow.service))
    endpoints = leaves.get(flow.service, ENDPOINTS)
    if seen is None or endpoints is None or not selected.selector:
        return
    if any(e.ready for e in endpoints):
        if () not in seen.rivals:
            return
        endpoints = ()  # outputs of two times: in one of them it has none
    selector = service.origins("spec.selector")
    if endpoints or selected.matching:
        pods = [o for pod in selected.matching for o in pod.origins("status")]
        leaves.put(flow.service, WHY_EMPTY, "not-ready", dict.fromkeys(pods[:2]))
    elif selected.other:
        pods = [o for pod in selected.other for o in pod.origins("metadata.labels", "status.conditions", "status")]
        leaves.put(flow.service, WHY_EMPTY, "selector", (*selector[:1], *dict.fromkeys(pods[:2])))


def _target_port(service: KubeObject, selected: Selected, flow: Flow, leaves: Leaves) -> None:
    """The service's target port against the ports that the containers of its pods declare.

    A name must be declared, or the endpoints get no such port. Numbers need not be: containerPort is information only,
    so a number that differs exposes without deciding, unless a probe or a process list shows where it listens.
    """
    port = next((p for p in leaves.get(flow.service, PORTS) or () if flow.port in {None, p.port, p.node_port}), None)
    if port is None:
        return
    target = port.target if port.target is not None else port.port
    for pod in selected.matching:
        declared, names = set[int](), set[str]()
        where: list[Origin] = []
        for container in pod.elements("spec.containers"):
            for entry in container.elements("ports"):
                if number := entry.number("containerPort"):
                    declared.add(number)
                names.add(entry.text("name"))
                where += entry.origins("containerPort")
        if not declared:
            continue
        fits = target in declared if isinstance(target, int) else target in names
        origins = (*service.origins("spec.ports")[:1], *where[:1])
        if isinstance(target, str):
            leaves.put(flow.service, WRONG_TARGET_PORT, not fits, origins)
        else:
            leaves.put(flow.service, TARGET_PORT_UNDECLARED, not fits, origins)


def _networks(objects: Objects, facts: tuple[Fact, ...], flow: Flow, leaves: Leaves) -> None:
    """Endpoints outside every pool and pod network that was shown, or inside a runtime's bridge network."""
    endpoints = [e for e in leaves.get(flow.service, ENDPOINTS) or () if e.address and "." in e.address]
    networks, where = _pod_networks(objects, facts)
    if leaves.get(flow.service, ENDPOINTS) is None and not networks:
        _all_on_a_bridge(objects, flow, leaves)
    hosts = {
        canonical_address(pod.text("status.hostIP"))
        for (kind, _, _), pod in objects.items()
        if kind == "Pod" and pod.value("spec.hostNetwork") is True
    }
    for endpoint in endpoints:
        outside = networks and not any(contains(n, endpoint.address) for n in networks)
        bridge = any(contains(b, endpoint.address) for b in BRIDGES)
        if endpoint.address not in hosts and bridge and (outside or not networks):
            origins = leaves.table[ENDPOINTS.of(flow.service)].origins
            leaves.put(flow.service, WRONG_POD_NETWORK, value=True, origins=(*origins[:1], *where[:1]))


def _all_on_a_bridge(objects: Objects, flow: Flow, leaves: Leaves) -> None:
    """Where nothing says which pods are the service's: all that were shown, in a runtime's bridge network."""
    shown = [
        (canonical_address(pod.text("status.podIP")), pod)
        for (kind, _, _), pod in objects.items()
        if kind == "Pod" and pod.text("status.podIP") and pod.value("spec.hostNetwork") is not True
    ]
    if shown and all(address and any(contains(bridge, address) for bridge in BRIDGES) for address, _ in shown):
        leaves.put(flow.service, WRONG_POD_NETWORK, value=True, origins=shown[0][1].origins("status.podIP")[:1])


def _pod_networks(objects: Objects, facts: tuple[Fact, ...]) -> tuple[list[str], list[Origin]]:
    found: list[str] = []
    where: list[Origin] = []
    for (kind, _, _), entry in objects.items():
        for text in (entry.text("spec.cidr"),) if kind == "IPPool" else (entry.text("spec.podCIDR"),):
            if kind in {"IPPool", "Node"} and parse_prefix(text):
                found.append(text)
                where += entry.origins("spec.cidr", "spec.podCIDR")
    for fact in facts:
        words = {"podCIDR", "spec.podCIDR", "clusterCIDR", "kube-proxy.clusterCIDR", "spec.cidr", "pod-network"}
        if isinstance(fact, Setting) and fact.attribute in words and parse_prefix(str(fact.value)):
            found.append(str(fact.value))
            where.append(fact.origin)
    return found, where


def _listening(facts: tuple[Fact, ...], flow: Flow, leaves: Leaves) -> None:
    """A statement of where the application listens: loopback alone serves nobody else."""
    for fact in facts:
        if not isinstance(fact, Setting) or not re.match(_LISTENS, fact.attribute, re.IGNORECASE):
            continue
        if re.match(r"(?:tcp://)?(?:127\.\d|localhost|\[?::1\]?)", str(fact.value).strip()):
            leaves.put(flow.service, NOT_LISTENING, value=True, origins=(fact.origin,), trust=fact.trust)
