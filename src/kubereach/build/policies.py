"""NetworkPolicy objects against the service's pods and the client → whether they let the client in.

Kubernetes NetworkPolicy: policies add up; once one selects a pod for ingress, only what some rule admits gets in. A
rule's `from` and `ports` are both needed; an absent one admits all. A podSelector alone means pods of the policy's own
namespace, so no outside client is among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.build.leaves import Leaves
from kubereach.build.pods import Selected
from kubereach.model.address import contains
from kubereach.model.attribute import ENDPOINTS, HOST_POLICIES, POLICIES_IN_PLACE, POLICY, POLICY_DROP, PORTS
from kubereach.model.fact import Fact, LogEvent
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.network import Flow
from kubereach.model.origin import Origin

Objects = dict[ObjectKey, KubeObject]
DIALECTS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy", "AdminNetworkPolicy")


def put_policies(objects: Objects, facts: tuple[Fact, ...], flow: Flow, leaves: Leaves, listed: frozenset[str]) -> None:
    """Put whether policies admit the client; only Kubernetes' own kind is decided, other dialects expose."""
    _, namespace, name = flow.service.split("/", 2)
    every = [entry for (kind, _, _), entry in objects.items() if kind == "NetworkPolicy" and entry.has("spec")]
    others = [entry for (kind, _, _), entry in objects.items() if kind in DIALECTS and entry.has("spec")]
    host = [e for (k, _, _), e in objects.items() if k == "HostEndpoint" or (e in others and _of_hosts(e))]
    if host:
        leaves.put("cluster", HOST_POLICIES, value=True, origins=host[0].origins("spec", "metadata")[:2])
    elif "HostEndpoint" in listed:
        leaves.put("cluster", HOST_POLICIES, value=False)
    service = objects.get(("Service", namespace, name))
    if denial := _denied(facts, flow, leaves):
        # Whatever was shown of policies: one that refuses the pods' packets is in place.
        leaves.put(flow.service, POLICIES_IN_PLACE, "laid", (denial.origin,), denial.trust)
    elif service is not None and every:
        _decide(Selected(service, objects, facts), service, every, flow, leaves)
    elif every or others:
        where = (every + others)[0].origins("spec", "metadata")[:2]
        leaves.put(flow.service, POLICIES_IN_PLACE, "some", where)
    elif {"NetworkPolicy", *DIALECTS[:1]} & listed:
        leaves.put(flow.service, POLICIES_IN_PLACE, "none")


def _denied(facts: tuple[Fact, ...], flow: Flow, leaves: Leaves) -> LogEvent | None:
    """A policy verdict of the CNI's about a packet to one of the service's pods."""
    pods = {e.address for e in leaves.get(flow.service, ENDPOINTS) or () if e.address}
    for fact in facts:
        if isinstance(fact, LogEvent) and re.match(r"policy-den", fact.event):
            target = dict(fact.fields).get("destination", "")
            if target in pods or target.rpartition(":")[0].strip("[]") in pods:
                return fact
    return None


def _of_hosts(entry: KubeObject) -> bool:
    """A policy that is laid on nodes: Cilium's nodeSelector, Calico's preDNAT, doNotTrack or applyOnForward."""
    flags = ("spec.preDNAT", "spec.doNotTrack", "spec.applyOnForward")
    return entry.has("spec.nodeSelector") or any(entry.value(f) is True for f in flags)


def _decide(selected: Selected, service: KubeObject, every: list[KubeObject], flow: Flow, leaves: Leaves) -> None:
    near = [p for p in every if p.namespace == service.namespace]
    if not near:
        leaves.put(flow.service, POLICIES_IN_PLACE, "none")
        return
    labels = [pod.mapping("metadata.labels") for pod in selected.matching] or [dict(selected.selector)]
    laid = [p for p in near if _ingress(p) and any(_selects(p, each) for each in labels)]
    where: list[Origin] = [o for p in laid for o in p.origins("spec")[:1]]
    if not laid:
        leaves.put(flow.service, POLICIES_IN_PLACE, "none", near[0].origins("spec")[:1])
        return
    answers = {_admits(rule, flow, leaves) for p in laid for rule in p.elements("spec.ingress")}
    if True in answers or any(_open(p) for p in laid):
        leaves.put(flow.service, POLICY_DROP, value=False, origins=where)
    elif None not in answers and selected.matching:
        leaves.put(flow.service, POLICY_DROP, value=True, origins=where)
    else:
        leaves.put(flow.service, POLICIES_IN_PLACE, "laid", where)


def _ingress(policy: KubeObject) -> bool:
    types = policy.scalars("spec.policyTypes")
    return not types or "Ingress" in types


def _open(policy: KubeObject) -> bool:
    """A rule without any field, `ingress: [{}]`, admits everything."""
    return any(re.fullmatch(r"spec\.ingress\[\d+\]", path) for path in policy.fields)


def _selects(policy: KubeObject, labels: dict[str, str]) -> bool:
    """Whether the podSelector matches; expressions are taken to, since labels of pods may not all be shown."""
    return all(labels.get(k) == v for k, v in policy.mapping("spec.podSelector.matchLabels").items())


def _admits(rule: KubeObject, flow: Flow, leaves: Leaves) -> bool | None:
    """Whether a rule admits the client; None where it depends on what was not shown."""
    ports = [_port(entry, flow, leaves) for entry in rule.elements("ports")]
    if ports and all(p is False for p in ports):
        return False
    sources = [_source(entry, flow, leaves) for entry in rule.elements("from")]
    if not sources:
        bare = rule.has("from") and not _empty_list(rule, "from")
        return None if bare or None in ports else True
    if True in sources:
        return None if ports and True not in ports else True
    return None if None in sources else False


def _empty_list(rule: KubeObject, path: str) -> bool:
    return rule.fields[path].value in {None, ""} if path in rule.fields else False


def _source(entry: KubeObject, flow: Flow, leaves: Leaves) -> bool | None:
    """One peer. The client's address is seen only where nothing masquerades it: under policy Local."""
    block = entry.text("ipBlock.cidr")
    if not block:
        return False  # pods and namespaces: no outside client is one
    if block.endswith("/0"):
        return True
    if leaves.get(flow.service, POLICY) != "Local":
        return None
    if not flow.client:
        return None
    return contains(block, flow.client) and not any(contains(x, flow.client) for x in _excepted(entry))


def _excepted(entry: KubeObject) -> Iterable[str]:
    return entry.scalars("ipBlock.except")


def _port(entry: KubeObject, flow: Flow, leaves: Leaves) -> bool | None:
    """A policy's port is the pod's, so the service's target port counts."""
    wanted = next((p for p in leaves.get(flow.service, PORTS) or () if flow.port in {None, p.port, p.node_port}), None)
    allowed = entry.value("port")
    if allowed is None:
        return True
    if wanted is None:
        return None
    target = wanted.target
    if target is None:
        return True if str(wanted.port) == str(allowed) else None
    if str(target) == str(allowed):
        return True
    last = entry.number("endPort")
    if last and isinstance(target, int) and isinstance(allowed, int):
        return allowed <= target <= last
    both_numbers = isinstance(target, int) and isinstance(allowed, int)
    return False if both_numbers else None
