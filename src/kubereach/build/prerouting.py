"""What a host's own rules ahead of routing and translation surely drop: iptables' tables raw and mangle.

They meet every packet that comes in, whatever the service proxy makes of it later (iptables(8), chain PREROUTING).
"""

from __future__ import annotations

import re

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.build.ruleset import Chains, Probe, Rule, iptables_rule
from kubereach.model.attribute import HOST_FIREWALL
from kubereach.model.fact import Fact, Setting
from kubereach.model.network import Flow

_RULE = r"iptables\.(raw|mangle)\.([\w:.-]{1,60}?)(?:\.(policy)|\[\d+\])$"
# Chains that the CNI or the service proxy writes are no firewall of the host: simulate knows what they do.
_OF_OTHERS = r"(?:cali-|CILIUM|FLANNEL|ANTREA|WEAVE|KUBE-|OVN)"


def put_prerouting(facts: tuple[Fact, ...], hosts: Hosts, flow: Flow, leaves: Leaves, devices: dict[str, str]) -> None:
    """Put HOST_FIREWALL on the nodes whose rules drop the client's packets; `devices`: by which they come in."""
    shown: dict[tuple[str, str], list[tuple[str, str, Setting]]] = {}
    for fact in facts:
        match = re.match(_RULE, fact.attribute) if isinstance(fact, Setting) and not fact.given else None
        if isinstance(fact, Setting) and match and fact.subject.startswith("node/"):
            node = hosts.resolve(fact.subject)
            shown.setdefault((node, match[1]), []).append((match[2], match[3] or "", fact))
    for (node, _), lines in shown.items():
        rules: dict[str, list[Rule]] = {}
        for chain, policy, fact in lines:
            rule = iptables_rule(str(fact.value))
            if not policy and not re.match(_OF_OTHERS, rule.target):
                rules.setdefault(chain, []).append(rule)
        policies = {chain: str(fact.value).lower() for chain, policy, fact in lines if policy}
        chains = Chains({name: tuple(found) for name, found in rules.items()}, policies)
        packet = Probe(flow.client, flow.address, flow.port, device=devices.get(node, ""))
        if "PREROUTING" in rules and chains.verdict("PREROUTING", packet) == {"drop"}:
            origins = [fact.origin for chain, policy, fact in lines if chain == "PREROUTING" and not policy]
            leaves.put(node, HOST_FIREWALL, "drop", origins[:1], lines[0][2].trust)
