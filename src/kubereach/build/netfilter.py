"""What the packet filters of nodes and of a Linux router make of the service's traffic: rules and policies → leaves.

Certain only where the rules that were shown decide it; otherwise a leaf says what exposes the flow (a policy of DROP).
"""

from __future__ import annotations

import re

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.build.other_backend import of_other_backend, put_other_backend
from kubereach.build.prerouting import put_prerouting
from kubereach.build.router_rules import ROUTEROS_FILTER, put_router_nat, routeros_rule
from kubereach.build.ruleset import Chains, Probe, Rule, Verdicts, iptables_rule, matches, nft_rule
from kubereach.model.attribute import (
    DROPS_INVALID,
    ENDPOINTS,
    FORWARD_DROP,
    FORWARD_POLICY,
    FORWARD_SPARES,
    HOST_FIREWALL,
    INPUT_FIREWALL,
    INPUT_POLICY,
    POLICY,
    PROXY_MODE,
    RANGES_IN_RULES,
    ROUTER_FIREWALL,
)
from kubereach.model.fact import Fact, InterfaceAddress, Setting, Trust
from kubereach.model.network import Flow
from kubereach.model.origin import Origin

_IPTABLES = r"iptables\.(\w{3,8})\.([\w:.-]{1,60}?)(?:\.(policy)|\[\d+\])$"
_NFT = r"nft\.(\w{2,6}\.[\w-]{1,60})\.(.{1,200}?)(?:\.(policy|hook)|\[\d+\])$"
_SAID = r"(?:ip6?tables|nft|nftables|firewall|netfilter)?.{0,30}\b(FORWARD|INPUT)\b.{0,20}\bpolicy$"
_CNI_CHAIN = r"(?:cali-|CILIUM|FLANNEL|ANTREA|WEAVE|KUBE-ROUTER|OVN)"
ROUTER = "router"
_RANGES_CHAIN = r"KUBE-(?:FIRE-WALL|FW-\w+|PROXY-FIREWALL|SOURCE-RANGES-FIREWALL)$"


class _Shown:
    """All rules of one host: filter chains of iptables by name, those of nft by table and name."""

    def __init__(self) -> None:
        self.rules: dict[str, list[Rule]] = {}
        self.policies: dict[str, str] = {}
        self.hooks: dict[str, list[str]] = {"forward": [], "input": []}
        self.origins: dict[str, list[Origin]] = {"forward": [], "input": []}
        self.ranges: dict[str, list[tuple[Rule, Origin]]] = {}  # by chain
        self.trust = Trust.STATED

    def chains(self) -> Chains:
        """The chains as the rule evaluation takes them."""
        return Chains({k: tuple(v) for k, v in self.rules.items()}, dict(self.policies))


def put_netfilter(facts: tuple[Fact, ...], hosts: Hosts, flow: Flow, leaves: Leaves) -> None:
    """Put what the rules of every host say; rules of a host that nobody names go to the cluster as a whole."""
    shown: dict[str, _Shown] = {}
    strange = of_other_backend(facts)
    for fact in facts:
        if isinstance(fact, Setting) and not fact.given and id(fact) not in strange:
            everyone = fact.subject in {"", "cluster"} or "*" in fact.subject
            subject = "cluster" if everyone else hosts.resolve(fact.subject)
            if everyone or fact.subject.startswith("node/") or subject == ROUTER:
                _take(fact, shown.setdefault(subject, _Shown()), leaves)
                if re.match(ROUTEROS_FILTER, fact.attribute):
                    _routeros(fact, flow, shown[subject])
    put_router_nat(facts, flow, hosts, leaves)
    devices = _devices(facts, hosts)
    put_prerouting(facts, hosts, flow, leaves, devices)
    put_other_backend(facts, hosts, flow, leaves, devices)
    for subject, found in shown.items():
        if subject == ROUTER:
            _put_router(found, flow, leaves)
        else:
            _put(subject, found, flow, leaves, devices.get(subject, ""))
            others = [
                address for node, (address, _, _) in hosts.addresses.items() if node in hosts.nodes and node != subject
            ]
            _put_spared(subject, found, others, flow, leaves, devices.get(subject, ""))


def _devices(facts: tuple[Fact, ...], hosts: Hosts) -> dict[str, str]:
    """The interface with each node's own address, by which clients' packets come in."""
    return {
        subject: fact.interface
        for fact in facts
        if isinstance(fact, InterfaceAddress)
        and (subject := hosts.resolve(fact.device)) in hosts.nodes
        and fact.address == hosts.addresses.get(subject, ("",))[0]
    }


def _routeros(fact: Setting, flow: Flow, shown: _Shown) -> None:
    chain, rule = routeros_rule(str(fact.value), flow.client)
    shown.rules.setdefault(chain, []).append(rule)
    shown.trust = Trust.OUTPUT
    if chain == "FORWARD":
        shown.origins["forward"].append(fact.origin)


def _put_router(shown: _Shown, flow: Flow, leaves: Leaves) -> None:
    """A router that surely drops what it forwards to the address, or passes it as far as these rules tell."""
    chains = shown.chains()
    probe = Probe(flow.client, flow.address, flow.port)
    for base in (*shown.hooks["forward"], "FORWARD"):
        verdicts = chains.verdict(base, probe) if base in shown.rules or base in shown.policies else frozenset()
        if verdicts and verdicts <= {"drop", "reject"}:
            leaves.put(ROUTER, ROUTER_FIREWALL, value=True, origins=_ends(shown, "forward"), trust=shown.trust)
        elif verdicts == {"accept"}:
            leaves.put(ROUTER, ROUTER_FIREWALL, value=False, origins=_ends(shown, "forward"), trust=shown.trust)
        half = Probe(flow.client, flow.address, flow.port, "INVALID")  # of a connection whose answers it never sees
        unfit = chains.verdict(base, half) if base in shown.rules or base in shown.policies else frozenset()
        if len(unfit) == 1:
            strict = unfit != {"accept"}
            leaves.put(ROUTER, DROPS_INVALID, strict, _ends(shown, "forward"), shown.trust)


def _ends(shown: _Shown, hook: str) -> list[Origin]:
    origins = list(dict.fromkeys(shown.origins[hook]))
    return origins[:1] + origins[-1:] if len(origins) > 1 else origins


def _take(fact: Setting, shown: _Shown, leaves: Leaves) -> None:
    text = str(fact.value)
    if match := re.match(_IPTABLES, fact.attribute):
        _iptables(fact, match, text, shown, leaves)
    elif match := re.match(_NFT, fact.attribute):
        _nft(fact, match, text, shown)
    elif (match := re.search(_SAID, fact.attribute, re.IGNORECASE)) and text.upper() in {"DROP", "ACCEPT", "REJECT"}:
        chain = match[1].upper()
        shown.policies[chain] = text.lower()
        shown.origins[chain.lower()].append(fact.origin)
        shown.trust = max(shown.trust, fact.trust)


def _iptables(fact: Setting, match: re.Match[str], text: str, shown: _Shown, leaves: Leaves) -> None:
    table, chain = match[1], match[2]
    shown.trust = Trust.OUTPUT
    rule = iptables_rule(text)
    if re.match(_RANGES_CHAIN, chain) and not match[3]:
        shown.ranges.setdefault(chain, []).append((rule, fact.origin))
    if "REDIRECT" in rule.target and re.search(r"/\S+:|--comment", text):
        # Only the userspace proxy redirects a service's packets to a port of its own (kube-proxy.md section 5).
        leaves.put("cluster", PROXY_MODE, "userspace", (fact.origin,), fact.trust)
    if table != "filter":
        return
    if match[3]:
        shown.policies[chain] = text.lower()
    else:
        shown.rules.setdefault(chain, []).append(rule)
    if chain in {"FORWARD", "INPUT"}:
        shown.origins[chain.lower()].append(fact.origin)


def _nft(fact: Setting, match: re.Match[str], text: str, shown: _Shown) -> None:
    table, chain = match[1], match[2]
    name = f"{table}/{chain}"
    shown.trust = Trust.OUTPUT
    if match[3] == "hook":
        hook = text.split()[0]
        if hook in shown.hooks and "kube-proxy" not in table:
            shown.hooks[hook].append(name)
            shown.origins[hook].append(fact.origin)
    elif match[3] == "policy":
        shown.policies[name] = text.lower()
    else:
        rule = nft_rule(text)
        ends = rule.target in {"", "ACCEPT", "DROP", "REJECT", "RETURN"}
        target = rule.target if ends else f"{table}/{rule.target}"
        shown.rules.setdefault(name, []).append(Rule(rule.text, target))


def _put(subject: str, shown: _Shown, flow: Flow, leaves: Leaves, device: str) -> None:
    chains = shown.chains()
    found: list[tuple[str, Verdicts, bool]] = []
    for hook in ("forward", "input"):
        bases = [*shown.hooks[hook]]
        if hook.upper() in shown.policies or hook.upper() in shown.rules:
            bases.append(hook.upper())
        for base in bases:
            forward = hook == "forward"
            verdicts = _forward(chains, base, flow, leaves, device) if forward else _input(chains, base, flow, device)
            found.append((hook, verdicts, base in shown.rules or verdicts == {"accept"}))
    closed = _closed(shown, flow, leaves, device)
    for hook, verdicts, decided in found:
        _conclude(subject, hook, verdicts, leaves, shown, decided=decided and not closed)
    if closed:  # whatever the node would make of it, it is kept out: a firewall of the host, no matter of forwarding
        leaves.put(subject, HOST_FIREWALL, "drop", _ends(shown, "forward"), shown.trust)
    _ranges(shown, flow, leaves)


def _put_spared(subject: str, shown: _Shown, others: list[str], flow: Flow, leaves: Leaves, device: str) -> None:
    """Whether FORWARD surely passes on what the other nodes and their pods send to a pod here.

    A tunnel's packets have an address of the pods' network and come in by the tunnel.
    """
    chains = shown.chains()
    pod = next((e for e in leaves.get(flow.service, ENDPOINTS) or () if e.address), None)
    bases = [*shown.hooks["forward"], *(("FORWARD",) if "FORWARD" in shown.rules else ())]
    if pod is None or not others or not bases:
        return
    sent = [Probe(address, pod.address, pod.port, device=device) for address in others]
    sent.append(Probe(pod.address, pod.address, pod.port, device="tunnel"))
    if all(chains.verdict(base, probe) == {"accept"} for base in bases for probe in sent):
        leaves.put(subject, FORWARD_SPARES, value=True, origins=_ends(shown, "forward"), trust=shown.trust)


def _closed(shown: _Shown, flow: Flow, leaves: Leaves, device: str) -> bool:
    """Whether rules of both hooks surely drop the packet; a policy of DROP alone says nothing of INPUT's purpose."""
    rules = Chains(shown.chains().rules, {})
    forward = [_forward(rules, base, flow, leaves, device) for base in (*shown.hooks["forward"], "FORWARD")]
    taken = [_input(rules, base, flow, device) for base in (*shown.hooks["input"], "INPUT")]
    return {"drop"} in forward and {"drop"} in taken


def _forward(chains: Chains, base: str, flow: Flow, leaves: Leaves, device: str) -> Verdicts:
    """The translated packet on its way to a pod, and the answer: both have to pass."""
    pod = next((e for e in leaves.get(flow.service, ENDPOINTS) or () if e.address), None)
    address, port = (pod.address, pod.port) if pod else ("", None)
    policy = leaves.get(flow.service, POLICY)
    if base == "FORWARD" and base not in chains.rules and "KUBE-FORWARD" in chains.rules:
        base_rules = {**chains.rules, base: (Rule("", "KUBE-FORWARD"),)}  # kube-proxy hooks its chain there
        chains = Chains(base_rules, chains.policies)
    answers: set[str] = set()
    for marked in {"Local": (False,), "Cluster": (True,)}.get(policy or "", (False, True)):
        there = chains.verdict(base, Probe(flow.client, address, port, "NEW", marked, device))
        back = chains.verdict(base, Probe(address, flow.client, None, "ESTABLISHED"))
        answers |= (there | back) - {"accept"} if there | back != {"accept"} else {"accept"}
        if "accept" in there and "accept" in back:
            answers.add("accept")
    return frozenset(answers)


def _input(chains: Chains, base: str, flow: Flow, device: str) -> Verdicts:
    return chains.verdict(base, Probe(flow.client, flow.address, flow.port, device=device))


def _conclude(subject: str, hook: str, verdicts: Verdicts, leaves: Leaves, shown: _Shown, *, decided: bool) -> None:
    bad = verdicts & {"drop", "reject"}
    where = _ends(shown, hook)
    certain = decided and len(verdicts) == 1
    if hook == "forward":
        covered = any(re.match(_CNI_CHAIN, rule.target) for rule in shown.rules.get("FORWARD", ()))
        policy = "accept" if not bad else "drop-covered" if covered else "drop"
        leaves.put(subject, FORWARD_POLICY, policy, where, shown.trust)
        if certain and "reject" in bad:
            leaves.put(subject, HOST_FIREWALL, "reject", where, shown.trust)
        elif certain and (bad or subject != "cluster"):
            leaves.put(subject, FORWARD_DROP, bool(bad), where, shown.trust)
    else:
        leaves.put(subject, INPUT_POLICY, min(bad) if bad else "accept", where, shown.trust)
        if certain and bad:
            leaves.put(subject, INPUT_FIREWALL, min(bad), where, shown.trust)


def _ranges(shown: _Shown, flow: Flow, leaves: Leaves) -> None:
    """A chain that lets only the named sources of services with source ranges pass, and drops the rest."""
    probe = Probe(destination=flow.address, port=flow.port)
    # Before 1.24 every load balancer has a KUBE-FW chain, whose end is reached only where sources are named before it.
    asking = [c for name, c in shown.ranges.items() if "-FW-" not in name or any("-s " in r.text for r, _ in c)]
    drops = [o for c in asking for r, o in c if r.target == "DROP" and matches(r.text, probe) is not False]
    if drops:
        leaves.put(flow.service, RANGES_IN_RULES, value=True, origins=drops, trust=shown.trust)
