"""What a host's own rules ahead of routing and translation surely drop: iptables' raw and mangle, nft's prerouting.

They meet every packet that comes in, whatever the service proxy makes of it later (iptables(8), chain PREROUTING).
"""

from __future__ import annotations

import re

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.build.ruleset import Chains, Probe, Rule, iptables_rule, nft_rule
from kubereach.model.attribute import ENDPOINTS, HOST_FIREWALL, HOST_FIREWALL_SPARES
from kubereach.model.fact import Fact, Setting
from kubereach.model.network import Flow

_IPTABLES = r"iptables\.(raw|mangle)\.([\w:.-]{1,60}?)(?:\.(policy)|\[\d+\])$"
_NFT = r"nft\.((?:ip|ip6|inet)\.[\w-]{1,60})\.(.{1,200}?)(?:\.(policy|hook)|\[\d+\])$"
# Chains that the CNI or the service proxy writes are no firewall of the host: simulate knows what they do.
_OF_OTHERS = r"(?:cali-|CILIUM|FLANNEL|ANTREA|WEAVE|KUBE-|OVN)"


class _Table:
    """One table of a host: its chains, and those that a packet meets on its way in."""

    def __init__(self) -> None:
        self.rules: dict[str, list[Rule]] = {}
        self.policies: dict[str, str] = {}
        self.bases: list[str] = []
        self.shown: list[Setting] = []

    def take(self, chain: str, what: str, fact: Setting, rule: Rule) -> None:
        """A line of the table."""
        if what == "policy":
            self.policies[chain] = str(fact.value).lower()
        elif what == "hook":
            self.bases += [chain] if str(fact.value).startswith("prerouting") else []
        elif not re.match(_OF_OTHERS, rule.target):
            self.rules.setdefault(chain, []).append(rule)
            self.shown.append(fact)

    def verdicts(self, packet: Probe) -> set[str]:
        """What the chains make of it, all taken together."""
        chains = Chains({name: tuple(found) for name, found in self.rules.items()}, self.policies)
        return set().union(*(chains.verdict(base, packet) for base in self.bases if base in self.rules))


def put_prerouting(facts: tuple[Fact, ...], hosts: Hosts, flow: Flow, leaves: Leaves, devices: dict[str, str]) -> None:
    """Put HOST_FIREWALL on the nodes whose rules drop the client's packets; `devices`: by which they come in."""
    tables: dict[tuple[str, str], _Table] = {}
    for fact in facts:
        if isinstance(fact, Setting) and not fact.given and fact.subject.startswith("node/"):
            _take(fact, hosts.resolve(fact.subject), tables)
    pod = next((e for e in leaves.get(flow.service, ENDPOINTS) or () if e.address), None)
    for (node, _), table in tables.items():
        device = devices.get(node, "")
        if table.verdicts(Probe(flow.client, flow.address, flow.port, device=device)) != {"drop"}:
            continue
        leaves.put(node, HOST_FIREWALL, "drop", [table.shown[0].origin], table.shown[0].trust)
        others = [found[0] for name, found in hosts.addresses.items() if name in hosts.nodes and name != node]
        sent = [Probe(other, pod.address, pod.port, device=device) for other in others] if pod else []
        if sent and all(table.verdicts(packet) == {"accept"} for packet in sent):
            leaves.put(node, HOST_FIREWALL_SPARES, value=True, origins=[table.shown[0].origin])


def _take(fact: Setting, node: str, tables: dict[tuple[str, str], _Table]) -> None:
    if match := re.match(_IPTABLES, fact.attribute):
        table = tables.setdefault((node, match[1]), _Table())
        table.bases = ["PREROUTING"]
        table.take(match[2], match[3] or "", fact, iptables_rule(str(fact.value)))
    elif (match := re.match(_NFT, fact.attribute)) and "kube-proxy" not in match[1]:
        table = tables.setdefault((node, match[1]), _Table())
        table.take(match[2], match[3] or "", fact, nft_rule(str(fact.value)))
