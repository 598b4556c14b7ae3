"""Rules of the legacy backend of iptables, where the service proxy writes with the other one: both sets hold.

`iptables-legacy-save` lists one, `iptables-nft-save` and `nft list ruleset` the other; what either drops is dropped.
"""

from __future__ import annotations

import re

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.build.ruleset import Chains, Probe, Rule, iptables_rule
from kubereach.model.attribute import ENDPOINTS, MIXED_BACKENDS, POLICY, TWO_BACKENDS
from kubereach.model.fact import Fact, Setting
from kubereach.model.network import Flow

_FILTER = r"iptables\.filter\.([\w:.-]{1,60}?)(?:\.(policy)|\[\d+\])$"
_LEGACY = r"(?:^|[\s/])iptables-legacy\b"


def of_other_backend(facts: tuple[Fact, ...]) -> frozenset[int]:
    """The identities of the facts that list legacy rules of hosts whose service proxy does not write there."""
    listed: dict[str, list[Setting]] = {}
    for fact in facts:
        rule = isinstance(fact, Setting) and fact.attribute.startswith("iptables.")
        if isinstance(fact, Setting) and rule and re.search(_LEGACY, fact.origin.command):
            listed.setdefault(fact.subject, []).append(fact)
    strange = (found for found in listed.values() if not any("KUBE-" in f.attribute for f in found))
    return frozenset(id(fact) for found in strange for fact in found)


def put_other_backend(
    facts: tuple[Fact, ...], hosts: Hosts, flow: Flow, leaves: Leaves, devices: dict[str, str]
) -> None:
    """Put MIXED_BACKENDS where legacy rules of FORWARD surely drop the flow, and whether they hold any that refuse."""
    strange = of_other_backend(facts)
    listed: dict[str, list[Setting]] = {}
    for fact in facts:
        if isinstance(fact, Setting) and id(fact) in strange and fact.subject.startswith("node/"):
            listed.setdefault(hosts.resolve(fact.subject), []).append(fact)
    for node, found in listed.items():
        rules: dict[str, list[Rule]] = {}
        policies: dict[str, str] = {}
        for fact in found:
            if (match := re.match(_FILTER, fact.attribute)) and match[2]:
                policies[match[1]] = str(fact.value).lower()
                rules.setdefault(match[1], [])  # a whole listing: what it does not show is not there
            elif match:
                rules.setdefault(match[1], []).append(iptables_rule(str(fact.value)))
        chains = Chains({name: tuple(lines) for name, lines in rules.items()}, policies)
        verdicts = _forward(chains, flow, leaves, devices.get(node, ""))
        origins, trust = [found[0].origin], found[0].trust
        leaves.put(node, TWO_BACKENDS, bool(verdicts & {"drop", "reject"}), origins, trust)
        if verdicts and verdicts <= {"drop", "reject"}:
            leaves.put(node, MIXED_BACKENDS, value=True, origins=origins, trust=trust)


def _forward(chains: Chains, flow: Flow, leaves: Leaves, device: str) -> frozenset[str]:
    """The translated packet on its way to a pod; kube-proxy's mark stays on it."""
    pod = next((e for e in leaves.get(flow.service, ENDPOINTS) or () if e.address), None)
    address, port = (pod.address, pod.port) if pod else ("", None)
    marked = leaves.get(flow.service, POLICY) == "Cluster"
    return chains.verdict("FORWARD", Probe(flow.client, address, port, "NEW", marked, device))
