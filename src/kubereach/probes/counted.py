"""Which rule of a packet filter drops the flow: the counters of refusing rules before and after a try.

Asked of a node or of the router; two listings of iptables with counters answer. Answers say where the rule stands that
counted: prerouting (raw, mangle), input, forward (and INPUT lets the like in), firewall (FORWARD, where INPUT refuses
as well), policy (a CNI's chain of a pod), host-policy (one of the host), ranges (kube-proxy's chain for source
ranges), no-local (kube-proxy's rule for a node without endpoint), invalid (what the connection table calls so), other,
none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.build.ruleset import Probe, iptables_rule, matches
from kubereach.model import attribute as a
from kubereach.model.fact import Setting
from kubereach.model.network import Network
from kubereach.probes._commands import COUNTERS_TWICE, FIREWALL, of_router
from kubereach.probes.question import Distribution, Offer, Question, Sighting, likeliest, mixed
from kubereach.simulate import walk as w
from kubereach.simulate.delivery import denied, on_node
from kubereach.simulate.proxy import Treatment, treat
from kubereach.simulate.world import World

KIND = "counted"
BACKGROUND: Distribution = {
    "none": 0.7,
    "forward": 0.06,
    "firewall": 0.06,
    "input": 0.03,
    "prerouting": 0.02,
    "policy": 0.03,
    "host-policy": 0.02,
    "ranges": 0.02,
    "no-local": 0.03,
    "invalid": 0.02,
    "other": 0.01,
}
_SMEAR = 0.05
_COUNTER = r"iptables\.(\w{3,8})\.([\w:.-]{1,60}?)(?:\[\d+\]|\.policy)\.packets$"
# Chains by what they are for: Calico's and kube-router's of pods, Calico's of hosts, kube-proxy's, those of firewalls.
_CHAINS = (
    (r"cali-(?:tw|fw|pi|po|pri|pro)-|KUBE-(?:NWPLCY|POD-FW)|WEAVE-NPC|cali-FORWARD", "policy"),
    (r"cali-(?:fh|th|fhfw|thfw|from-host|to-host|INPUT|PREROUTING)", "host-policy"),
    (r"KUBE-(?:FW|PROXY-FIREWALL|SOURCE-RANGES|LOAD-BALANCER)", "ranges"),
    (r"KUBE-(?:EXTERNAL-SERVICES|XLB|EXT|NODEPORTS)", "no-local"),
    (r"KUBE-FORWARD", "invalid"),
    (r"INPUT$|.*(?:^|[-_])(?i:input|in)(?:$|[-_])", "input"),
    (r"FORWARD$|.*(?i:forward|fwd)", "forward"),
)


def sightings(network: Network) -> Iterable[Sighting]:
    """Of each host whose refusing rules were listed twice, the rule that counted in between."""
    for host in (*network.nodes, "router"):
        facts = [f for f in network.observed if isinstance(f, Setting) and f.subject == host]
        rules = {f.attribute: str(f.value) for f in facts if f.attribute.endswith("]")}
        counts: dict[str, list[Setting]] = {}
        for fact in facts:
            if re.match(_COUNTER, fact.attribute):
                counts.setdefault(fact.attribute, []).append(fact)
        twice = {name: _in_order(found) for name, found in counts.items() if len(found) > 1}
        listed_twice = twice or _twice_without_refusing(facts)
        if not listed_twice:
            continue
        grown = [(name, f) for name, f in twice.items() if int(str(f[-1].value)) > int(str(f[0].value))]
        fitting = [(name, f) for name, f in grown if _may_match(network, rules.get(name.removesuffix(".packets"), ""))]
        answer, where = _place(network, host, fitting)
        origins = tuple(f.origin for f in (where or next(iter(twice.values()), facts[:1]))[-1:])
        rule = rules.get(where[-1].attribute.removesuffix(".packets"), "the policy") if where else ""
        yield Sighting(
            question=Question(KIND, host),
            answers=frozenset({answer}),
            origins=origins,
            trust=facts[0].trust,
            says=f"a try is counted by {where[-1].attribute.removesuffix('.packets')}: {rule}"
            if where
            else "no refusing rule counts the try",
        )


def _in_order(found: list[Setting]) -> list[Setting]:
    return sorted(found, key=lambda f: (f.origin.source, f.origin.first))


def _twice_without_refusing(facts: list[Setting]) -> bool:
    """Whether two listings with counters hold no refusing rule at all: a base chain's policy shows each."""
    policies = [f for f in facts if re.fullmatch(r"iptables\.filter\.FORWARD\.policy", f.attribute)]
    return len([f for f in policies if "-c" in f.origin.command]) > 1


def _may_match(network: Network, text: str) -> bool:
    """Whether a rule can have met the flow, before its translation or behind it."""
    flow, conditions = network.flow, iptables_rule(text).text
    pod = next((e for e in network.seen(flow.service, a.ENDPOINTS) or () if e.address), None)
    before = Probe(flow.client, flow.address, flow.port)
    behind = Probe("", pod.address if pod else "", pod.port if pod else None)
    return any(matches(conditions, probe) is not False for probe in (before, behind))


def _place(network: Network, host: str, grown: list[tuple[str, list[Setting]]]) -> tuple[str, list[Setting]]:
    """What the first of the rules that counted is for."""
    order = ["prerouting", "host-policy", "input", "policy", "ranges", "no-local", "forward", "invalid", "other"]
    placed: list[tuple[int, list[Setting]]] = []
    for name, found in grown:
        match = re.match(_COUNTER, name)
        table, chain = (match[1], match[2]) if match else ("", "")
        place = next((p for pattern, p in _CHAINS if re.match(pattern, chain)), "other")
        if table in {"raw", "mangle"} and place not in {"host-policy", "policy"}:
            place = "prerouting"
        placed.append((order.index(place), found))
    if not placed:
        return "none", []
    first, where = min(placed, key=lambda p: p[0])
    answer = order[first]
    refused_too = (network.seen(host, a.INPUT_POLICY) or "accept") != "accept"
    return ("firewall" if answer == "forward" and refused_too else answer), where


def predict(world: World, question: Question) -> Distribution | None:
    """By what drops the flow there, as far as the flow gets there at all."""
    flow = world.network.flow
    if question.where == "router":
        return {"forward": 0.85, "none": 0.13, "other": 0.02} if world.get("router", a.ROUTER_FIREWALL) else _quiet()
    found = w.walk(world, flow.service, w.Packet("client", flow.address, flow.port or 80))
    here = [b for b in found.branches if question.where in {b.entry, b.endpoint}]
    if not here:
        return _quiet()
    return mixed([(1 - _SMEAR, _refusing(world, question.where)), (_SMEAR, BACKGROUND)])


def _quiet() -> Distribution:
    return mixed([(1 - _SMEAR, {"none": 1.0}), (_SMEAR, BACKGROUND)])


def _refusing(world: World, node: str) -> Distribution:
    """The first filter on the packet's way that refuses it; rules of nft itself often have no counters."""
    flow = world.network.flow
    if any(on_node(world, node, leaf) for leaf in (a.RP_FILTER_DROP, a.MARTIAN, a.DATAPATH_BROKEN)):
        return {"none": 1.0}
    if on_node(world, node, a.HOST_ENDPOINT_DROP):
        return {"prerouting": 0.6, "host-policy": 0.25, "policy": 0.05, "none": 0.1}
    if on_node(world, node, a.HOST_FIREWALL):
        return {"firewall": 0.72, "forward": 0.06, "input": 0.08, "prerouting": 0.02, "none": 0.12}
    if on_node(world, node, a.INPUT_FIREWALL) and world.get("cluster", a.PROXY_MODE) in {"ipvs", "userspace"}:
        return {"input": 0.85, "none": 0.15}
    treated = treat(world, flow.service, flow.address, flow.port or 80, node, "outside")
    if treated.kind is Treatment.DROPPED:
        return {"no-local": 0.6, "none": 0.4}
    if on_node(world, node, a.FORWARDING_OFF):
        return {"none": 1.0}
    if on_node(world, node, a.MIXED_BACKENDS):
        return {"none": 0.8, "forward": 0.15, "firewall": 0.05}  # the program shows its own backend's rules
    if on_node(world, node, a.FORWARD_DROP):
        return {"forward": 0.82, "firewall": 0.08, "none": 0.1}
    if denied(world, flow.service, "client"):
        return {"ranges": 0.85, "none": 0.15}
    if world.get(flow.service, a.POLICY_DROP):
        return {"policy": 0.8, "forward": 0.05, "none": 0.15}
    if on_node(world, node, a.NODE_DROPS_INVALID):
        return {"invalid": 0.8, "none": 0.2}
    return {"none": 1.0}


def offers(network: Network) -> Iterable[Offer]:
    """The listing, twice."""
    words = {
        "none": "no DROP or REJECT counts",
        "forward": "a rule of FORWARD counts",
        "firewall": "a rule of FORWARD counts, and INPUT refuses as well",
        "input": "a rule of INPUT counts",
        "policy": "a policy's chain counts",
        "prerouting": "a rule of raw or mangle counts",
        "ranges": "kube-proxy's firewall chain counts",
    }
    for host in (*network.nodes, "router"):
        command = of_router(network, FIREWALL) if host == "router" else COUNTERS_TWICE
        if not command:
            continue
        yield Offer(
            question=Question(KIND, host),
            where=host,
            command=command,
            cost=45 if host == "router" else 40,
            privilege="router" if host == "router" else "root",
            words=words,
        )


def means(world: World, question: Question) -> str:
    """What drops it there."""
    best = likeliest(predict(world, question)) or "none"
    return "no rule there drops the flow" if best == "none" else f"the host's filter drops the flow ({best})"
