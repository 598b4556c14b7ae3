"""What a node's service proxy has in its rules for the address: `iptables-save`, `nft list ruleset`.

Asked of a node about `address`: absent (services have rules, the address has none), no-local (dropped, for want of a
local endpoint), empty (rejected, for want of any), there (led on to pods). Asked of the service about `ranges`: checked
(a chain admits named sources only), open.
Which chains and maps: kube-proxy.md sections 2.1, 2.3 and 4.2. In IPVS mode `virtual_server` answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model import attribute as a
from kubereach.model.address import host_prefix
from kubereach.model.fact import Setting
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, likeliest
from kubereach.simulate.announced import has_local, ready_endpoints
from kubereach.simulate.world import World

KIND = "proxy_rules"
BACKGROUND: Distribution = {
    "there": 0.75,
    "absent": 0.08,
    "no-local": 0.1,
    "empty": 0.07,
    "open": 0.9,
    "checked": 0.1,
}
_READABLE = frozenset({"iptables", "nftables"})
_REFUSES = r"-j (?:DROP|REJECT)\b|: (?:drop|goto reject-chain)$"
_LEADS_ON = r"-j KUBE-(?:EXT|SVC|XLB|FW)-|: goto (?:external|service)-"
_TABLES = r"(?:iptables\.(?:nat|filter)\.KUBE-|nft\.ip6?\.kube-proxy\.)"
# A whole listing of the rules or of the table that holds them; any filter behind it closes nothing.
_WHOLE = (
    r"(?:\S*/)?(?:iptables(?:-nft)?-save(?:\s+-[ct]\s*(?:nat)?){0,3}"
    r"|nft (?:-\w+ )*list (?:ruleset|table ip6? kube-proxy))$"
)


def sightings(network: Network) -> Iterable[Sighting]:
    """What each node's rules say of the address, and whether they ask for the source."""
    rules: dict[str, list[Setting]] = {}
    for fact in network.observed:
        if isinstance(fact, Setting) and fact.subject in network.nodes and re.match(_TABLES, fact.attribute):
            rules.setdefault(fact.subject, []).append(fact)
    for node, shown in rules.items():
        mine = [fact for fact in shown if _is_of_flow(network, str(fact.value))]
        if mine:
            yield from _of_address(network, node, shown, mine)
        elif any(_of_another(fact) for fact in shown) and re.match(_WHOLE, shown[0].origin.command.strip()):
            yield _sighting(
                node, "address", "absent", shown[0], f"services have rules, {network.flow.address} has none"
            )


def _is_of_flow(network: Network, rule: str) -> bool:
    flow = network.flow
    element = rf"(\S+) \. {flow.protocol.lower()} \. (\d+)\b"  # of a map
    found = re.match(r"-d (\S+) .*?--dport (\d+)\b", rule) or re.match(element, rule)
    same = found is not None and found[1] in {flow.address, host_prefix(flow.address)}
    return same and found is not None and str(flow.port or found[2]) == found[2]


def _of_another(fact: Setting) -> bool:
    """A rule that leads some service's packets on."""
    return re.search(r"(?:-j KUBE-SVC-|: goto (?:service|external)-)", str(fact.value)) is not None


def _of_address(network: Network, node: str, shown: list[Setting], mine: list[Setting]) -> Iterable[Sighting]:
    """A refusal in the proxy's own chains decides; else the chains that the address is led to."""
    refusal = next((f for f in mine if re.search(_REFUSES, str(f.value)) and not _by_source(f)), None)
    leads = next((f for f in mine if re.search(_LEADS_ON, str(f.value))), None)
    suffix = re.search(r"-j KUBE-[A-Z]{2,3}-(\w+)", str(leads.value)) if leads else None
    chains = [f for f in shown if suffix and re.search(rf"KUBE-[A-Z]{{2,3}}-{suffix[1]}\[", f.attribute)]
    barred = next((f for f in chains if re.search(r"has no local endpoints", str(f.value))), None)  # before 1.25
    if refusal is not None:
        empty = re.search(r"REJECT|reject-chain", str(refusal.value))
        says = "its rules reject the address: no endpoint" if empty else "its rules drop the address: no local endpoint"
        yield _sighting(node, "address", "empty" if empty else "no-local", refusal, says)
    elif barred is not None:
        yield _sighting(node, "address", "no-local", barred, "its rules drop the address: no local endpoint")
    elif leads is not None:
        yield _sighting(node, "address", "there", leads, "its rules lead the address to pods")
    if leads is not None:
        sources = [f for f in chains if ".KUBE-FW-" in f.attribute and re.match(r"-s ", str(f.value))]
        sources += [f for f in mine if _by_source(f)]
        says = "its rules admit named sources only" if sources else "its rules ask for no source"
        answer = "checked" if sources else "open"
        yield _sighting(network.flow.service, "ranges", answer, sources[0] if sources else leads, says)


def _by_source(fact: Setting) -> bool:
    """Whether the refusal is of those whom the source ranges leave out."""
    return "KUBE-PROXY-FIREWALL" in fact.attribute or ".firewall-ips" in fact.attribute


def _sighting(where: str, about: str, answer: str, fact: Setting, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, where, (about,)),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """From the proxy's state on the node, the policy and the endpoints."""
    service = world.network.flow.service
    if world.get("cluster", a.PROXY_MODE) not in _READABLE:
        return None
    if question.about == ("ranges",):
        asked = world.get(service, a.RANGES_DENY) or world.get(service, a.SOURCE_RANGES)
        return {"checked": 0.95, "open": 0.05} if asked else {"open": 0.99, "checked": 0.01}
    node = question.where
    if world.get(node, a.PROXY_DOWN):
        return {"absent": 0.8, "there": 0.12, "empty": 0.04, "no-local": 0.04}  # those of before, else none
    if world.get(node, a.NOT_PROGRAMMED):
        return {"absent": 0.97, "there": 0.03}
    expected = "there"
    if not ready_endpoints(world, service):
        expected = "empty"
    elif world.get(service, a.POLICY) == "Local":
        if world.get(node, a.LOCAL_BROKEN):
            # Either no endpoint counts as local, or what is right here is spoilt by another hop (Weave, ServiceLB).
            return {"no-local": 0.55, "there": 0.42, "absent": 0.02, "empty": 0.01}
        expected = "there" if has_local(world, service, node) else "no-local"
    return {**dict.fromkeys(("there", "absent", "no-local", "empty"), 0.01), expected: 0.97}


def offers(network: Network) -> Iterable[Offer]:
    """The rules on each node, where iptables or nftables hold them."""
    mode, flow = network.seen("cluster", a.PROXY_MODE) or "iptables", network.flow
    if mode not in _READABLE or not flow.address:
        return
    words = {
        "absent": f"no rule for {flow.address}",
        "no-local": "a rule that drops it: no local endpoints",
        "empty": "a rule that rejects it: no endpoints",
        "there": "a rule that leads it to a chain of the service",
    }
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node, ("address",)),
            where=node,
            command="sudo iptables-save" if mode == "iptables" else "sudo nft list table ip kube-proxy",
            cost=30,
            privilege="root",
            words=words,
        )


def means(world: World, question: Question) -> str:
    """What the node's rules do with the address."""
    return {
        "absent": "the node's proxy did not program the address",
        "no-local": "the node drops the traffic: its rules know no local endpoint",
        "empty": "the node refuses the traffic: its rules know no endpoint",
        "there": "the node's rules lead the traffic to pods",
        "checked": "the node asks for the source",
        "open": "the node admits every source",
    }.get(likeliest(predict(world, question)), "")
