"""What Calico's policies for hosts, laid ahead of the translation, make of the client's packets and of the nodes' own.

A policy with preDNAT sees the service's own address and port; its first rule that fits decides, and an endpoint of a
host that a policy selects denies the rest (Calico, policy for forwarded and pre-DNAT traffic).
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.model.address import contains
from kubereach.model.attribute import HOST_ENDPOINT_DROP, HOST_POLICY_SPARES
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.network import Flow

_TERM = r"(\S+)\s*==\s*['\"]([^'\"]*)['\"]"


class _Sent(Struct, frozen=True):
    """What asks for entry; "" and None where it is not known."""

    source: str
    address: str
    port: int | None


def put_host_policies(objects: dict[ObjectKey, KubeObject], hosts: Hosts, flow: Flow, leaves: Leaves) -> None:
    """Put HOST_ENDPOINT_DROP where the policies surely refuse the client, HOST_POLICY_SPARES where nodes pass."""
    endpoints = [entry for (kind, _, _), entry in objects.items() if kind == "HostEndpoint"]
    policies = [entry for (kind, _, _), entry in objects.items() if kind == "GlobalNetworkPolicy"]
    policies = [p for p in policies if p.value("spec.preDNAT") is True]
    policies.sort(key=lambda p: (p.number("spec.order") or 0, p.name))
    for endpoint in endpoints:
        node = hosts.resolve(f"node/{endpoint.text('spec.node')}") if endpoint.text("spec.node") else ""
        laid = [p for p in policies if _selects(p.text("spec.selector"), endpoint)]
        if node not in hosts.nodes or not laid:
            continue
        origins = laid[0].origins("spec.ingress")[:2]
        if _verdict(laid, _Sent(flow.client, flow.address, flow.port)) == "deny":
            leaves.put(node, HOST_ENDPOINT_DROP, value=True, origins=origins)
        others = [found[0] for subject, found in hosts.addresses.items() if subject in hosts.nodes and subject != node]
        if others and all(_verdict(laid, _Sent(address, "", None)) == "allow" for address in others):
            leaves.put(node, HOST_POLICY_SPARES, value=True, origins=origins)


def _selects(selector: str, endpoint: KubeObject) -> bool:
    """Selectors of one term; any other is taken for one that may not select."""
    labels = endpoint.mapping("metadata.labels")
    if term := re.fullmatch(_TERM, selector.strip()):
        return labels.get(term[1]) == term[2]
    if has := re.fullmatch(r"has\((\S+)\)", selector.strip()):
        return has[1] in labels
    return selector.strip() in {"", "all()"}


def _verdict(policies: list[KubeObject], sent: _Sent) -> str:
    """allow, deny, or "" where a rule that might fit asks for what is not known."""
    for policy in policies:
        for rule in policy.elements("spec.ingress"):
            fits = _fits(rule, sent)
            action = rule.text("action").lower()
            if fits is None and action in {"allow", "pass", "deny"}:
                return ""
            if fits and action in {"allow", "deny"}:
                return action
    return "deny"


def _fits(rule: KubeObject, sent: _Sent) -> bool | None:
    answers: list[bool | None] = []
    if rule.has("protocol"):
        answers.append(rule.text("protocol").upper() in {"TCP", "6"})
    for end, address in (("source", sent.source), ("destination", sent.address)):
        if nets := rule.scalars(f"{end}.nets"):
            answers.append(any(contains(net, address) for net in nets) if address else None)
        if ports := rule.scalars(f"{end}.ports"):
            answers.append(_port(ports, sent.port) if end == "destination" else None)
    if any(rule.has(f"{end}.{key}") for end in ("source", "destination") for key in _UNKNOWN):
        answers.append(None)
    return False if False in answers else None if None in answers else True


_UNKNOWN = ("selector", "namespaceSelector", "notNets", "notPorts", "notSelector", "serviceAccounts", "services")


def _port(ports: tuple[str, ...], port: int | None) -> bool | None:
    if port is None:
        return None
    for text in ports:
        first, _, last = text.partition(":")
        if first.isdecimal() and int(first) <= port <= int(last if last.isdecimal() else first):
            return True
    return False
