"""What a router's own rules make of the flow: its filter in RouterOS's words, and its address translation.

Certain only where the rules that were shown decide it. Sources: RouterOS manual, Filter and NAT;
iptables-extensions(8).
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.build.ruleset import Probe, Rule, iptables_rule, matches
from kubereach.model.address import canonical_address, contains, parse_address
from kubereach.model.attribute import ROUTER_NAT, ROUTER_NAT_DOUBT, why
from kubereach.model.fact import Fact, InterfaceAddress, Route, Setting
from kubereach.model.network import Flow

ROUTEROS_FILTER = r"firewall\.filter\[\d+\]$"
_TABLE = r"(?:iptables|firewall)\.nat\b"
_NAT = r"(?:iptables\.nat\.(PREROUTING|POSTROUTING|[\w-]{1,60})|firewall\.nat)\[\d+\]$"
# RouterOS's conditions by iptables's names for them; those of neither are unknown to the match.
_WORDS = {
    "src-address": "-s",
    "dst-address": "-d",
    "protocol": "-p",
    "dst-port": "--dport",
    "connection-state": "--ctstate",
    "in-interface": "-i",
    "out-interface": "-o",
}
_TARGETS = {"accept": "ACCEPT", "drop": "DROP", "tarpit": "DROP", "reject": "REJECT", "return": "RETURN"}
_REWRITES = {"dst-nat": "DNAT", "redirect": "REDIRECT", "netmap": "DNAT", "src-nat": "SNAT", "masquerade": "MASQUERADE"}
_DESTINATION, _SOURCE = frozenset({"DNAT", "REDIRECT"}), frozenset({"SNAT"})


class _Around(Struct, frozen=True):
    """The router's own addresses, and its interfaces towards the client and the nodes; empty where not shown."""

    addresses: frozenset[str]
    inward: str
    outward: frozenset[str]


def routeros_rule(text: str, client: str) -> tuple[str, Rule]:
    """The chain, in iptables's letters, and the rule of a line `chain=forward action=drop dst-address=…`.

    A list of interfaces called WAN does not hold the one of a client with a private address.
    """
    pairs = dict(re.findall(r"([\w-]{1,40})=(\S{1,200})", text))
    conditions = []
    for name, value in pairs.items():
        if name in {"chain", "action", "jump-target", "to-addresses", "to-ports", "reject-with", "address-list"}:
            continue
        negated, plain = value.startswith("!"), value.removeprefix("!")
        if name in {"in-interface-list", "out-interface-list"} and plain == "WAN" and _private(client):
            word, plain = ("-i", "lo")  # an interface that no packet of the client passes
        else:
            word = _WORDS.get(name, f"--{name}")
        plain = plain.upper() if word == "--ctstate" else plain
        conditions.append(f"{'! ' if negated else ''}{word} {plain}")
    action = pairs.get("action", "accept")
    target = pairs.get("jump-target", "") if action == "jump" else _TARGETS.get(action, _REWRITES.get(action, ""))
    return pairs.get("chain", "").upper(), Rule(" ".join(conditions), target)


def _private(address: str) -> bool:
    parsed = parse_address(address)
    return parsed is not None and not parsed.is_global


def put_router_nat(facts: tuple[Fact, ...], flow: Flow, hosts: Hosts, leaves: Leaves) -> None:
    """Put what the router's translation surely does to the client's packets, or may do.

    Answers of a connection are translated back, not by rules: only rules that its first packet meets count
    (iptables(8), table nat).
    """
    shown = [f for f in facts if isinstance(f, Setting) and not f.given and re.match(_TABLE, f.attribute)]
    shown = [f for f in shown if hosts.resolve(f.subject) == "router"]
    around = _around(facts, flow, hosts)
    for fact in (f for f in shown if re.match(_NAT, f.attribute)):
        kind, sure = _does(fact, flow, around)
        says = f"a rule of the router's rewrites the {kind}: {fact.value}"
        if kind and sure:
            leaves.put("router", ROUTER_NAT, kind, (fact.origin,), fact.trust)
            leaves.put("router", why(ROUTER_NAT), says, (fact.origin,), fact.trust)
            return
        if kind:
            leaves.put("router", ROUTER_NAT_DOUBT, f"{fact.attribute}: {fact.value}", (fact.origin,), fact.trust)
    if shown:
        leaves.put("router", ROUTER_NAT_DOUBT, "", (shown[0].origin,), shown[0].trust)


def _does(fact: Setting, flow: Flow, around: _Around) -> tuple[str, bool]:
    """What a rule rewrites of the client's packets ("" for nothing), and whether it surely does."""
    text = str(fact.value)
    chain = re.match(_NAT, fact.attribute)
    hook, rule = routeros_rule(text, flow.client) if chain and chain[1] is None else ("", iptables_rule(text))
    hook = {"DSTNAT": "PREROUTING", "SRCNAT": "POSTROUTING"}.get(hook, hook) or (chain[1] if chain else "") or ""
    if re.search(r"--dst-(?:address-)?type\s+local\b", rule.text, re.I):
        return "", False  # the address is none of the router's own
    leaves_by = re.search(r"(!\s+)?-o (\S+)", rule.text)
    if leaves_by and around.outward and (leaves_by[2] in around.outward) == bool(leaves_by[1]):
        return "", False
    conditions = re.sub(r"(?:!\s+)?-o \S+", "", rule.text) if leaves_by and around.outward else rule.text
    match = matches(" ".join(conditions.split()), Probe(flow.client, flow.address, flow.port, device=around.inward))
    if match is False:
        return "", False
    known = match is True and hook in {"PREROUTING", "POSTROUTING"}
    if rule.target in _DESTINATION:
        return "destination", known
    if rule.target in _SOURCE:
        to = canonical_address(re.split(r"[-:/]", _given(text))[0]) or ""
        own = not around.addresses or to in around.addresses
        return ("", False) if to in around.addresses else ("source", known and not own)
    # What hides the client behind the router breaks nothing by itself, where it is meant to be so.
    return ("source", False) if rule.target == "MASQUERADE" and leaves_by and around.outward else ("", False)


def _given(text: str) -> str:
    match = re.search(r"--to-source (\S+)|to-addresses=(\S+)", text)
    return (match[1] or match[2]) if match else ""


def _around(facts: tuple[Fact, ...], flow: Flow, hosts: Hosts) -> _Around:
    links = [f for f in facts if isinstance(f, InterfaceAddress) and hosts.resolve(f.device) == "router"]
    nets = [(f"{f.address}/{f.prefix_length}", f.interface) for f in links if f.prefix_length > 0]
    nets += [
        (f.prefix, f.next_hops[0].interface)
        for f in facts
        if isinstance(f, Route) and hosts.resolve(f.device) == "router" and f.on_link and f.next_hops
    ]
    nodes = [hosts.addresses[n][0] for n in hosts.nodes if n in hosts.addresses]
    inward = next((i for net, i in nets if flow.client and contains(net, flow.client)), "")
    outward = frozenset(i for net, i in nets if i and any(contains(net, node) for node in nodes))
    return _Around(frozenset(f.address for f in links), inward, outward)
