"""Whose hardware addresses answer or stand in neighbour tables for the address.

Asked of who answers, and of what tables hold. Answers: the node whose it is, nodes (of several), foreign (of a host
that is no known node). Said only where the nodes' own hardware addresses are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubereach.model.attribute import ADDRESS_TAKEN, LEASE_HOLDER, MACS, POOL_OFFLINK, STALE_NEIGHBOUR
from kubereach.model.fact import Neighbour, Packet, ProbeResult, Trust
from kubereach.model.network import Network
from kubereach.model.origin import Origin
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.arp import responders
from kubereach.simulate.world import World

KIND = "arp_owner"
BACKGROUND: Distribution = {"nodes": 0.2, "foreign": 0.2}
_UNRESOLVED = frozenset({"FAILED", "INCOMPLETE"})


def sightings(network: Network) -> Iterable[Sighting]:
    """The hardware addresses that answered, and those that tables hold, compared with the nodes' own."""
    owners = {mac: node for node in network.nodes for mac in _macs(network, node)}
    for about in ("answer", "entry"):
        seen = {mac.lower(): (origin, trust) for kind, mac, origin, trust in _seen(network) if kind == about}
        answer = _owner(network, tuple(seen), owners) if seen and owners else ""
        if answer:
            origin, trust = next(iter(seen.values()))
            verb = "answers for" if about == "answer" else "stands in a table for"
            yield Sighting(
                question=Question(KIND, "client", (about,)),
                answers=frozenset({answer}),
                origins=(origin,),
                trust=trust,
                says=f"{', '.join(seen)} {verb} {network.flow.address} ({answer.removeprefix('node/')})",
            )


def _owner(network: Network, macs: tuple[str, ...], owners: dict[str, str]) -> str:
    """The node, `nodes`, `foreign`; "" where a stranger may be the node whose hardware address is not shown."""
    nodes = {owners[mac] for mac in macs if mac in owners}
    if any(mac not in owners for mac in macs):
        return "foreign" if all(_macs(network, node) for node in network.nodes) else ""
    return "nodes" if len(nodes) > 1 else next(iter(nodes))


def _macs(network: Network, node: str) -> tuple[str, ...]:
    return network.seen(node, MACS) or ()


def _seen(network: Network) -> Iterator[tuple[str, str, Origin, Trust]]:
    address = network.flow.address
    for fact in network.observed:
        if isinstance(fact, ProbeResult) and fact.target == address:
            yield from (("answer", mac, fact.origin, fact.trust) for mac in fact.macs)
        elif isinstance(fact, Packet) and fact.what == "arp-reply" and fact.source == address and fact.mac:
            if fact.device not in network.nodes:  # there, a capture shows that node's answer and no other
                yield "answer", fact.mac, fact.origin, fact.trust
        elif isinstance(fact, Neighbour) and fact.address == address and fact.mac and fact.state not in _UNRESOLVED:
            yield "entry", fact.mac, fact.origin, fact.trust


def predict(world: World, question: Question) -> Distribution | None:
    """Responders that are nodes, and the foreign owner where there is one; stale entries name another node."""
    flow = world.network.flow
    nodes, foreign = responders(world, flow.service, flow.address), world.get(flow.service, ADDRESS_TAKEN)
    if foreign and nodes and question.about == ("entry",):  # whoever answered last
        others = [n for n in world.network.nodes if n not in nodes]
        return {"foreign": 0.5, "nodes": 0.02} | dict.fromkeys(nodes, 0.4 / len(nodes)) | dict.fromkeys(others, 0.01)
    if foreign:
        return {"foreign": 0.9, "nodes": 0.02} | dict.fromkeys(world.network.nodes, 0.03)
    if not nodes:
        return None
    stale = world.get("router", STALE_NEIGHBOUR) or world.get("segment", STALE_NEIGHBOUR)
    others = [n for n in world.network.nodes if n not in nodes]
    if question.about == ("entry",) and world.get(flow.service, POOL_OFFLINK):
        return {"nodes": 0.02, "foreign": 0.02} | dict.fromkeys(world.network.nodes, 0.02)  # who routes does not ask
    if len(nodes) > 1:
        return {"nodes": 0.6, "foreign": 0.02} | dict.fromkeys(nodes, 0.3 / len(nodes))
    known = world.known(flow.service, LEASE_HOLDER)
    right = 0.93 if known else 0.6
    if stale and question.about == ("entry",) and others:
        return {nodes[0]: 0.05, "foreign": 0.05} | dict.fromkeys(others, 0.9 / len(others))
    return {nodes[0]: right, "nodes": 0.02, "foreign": 0.02} | dict.fromkeys(
        others, (0.96 - right) / (len(others) or 1)
    )


def offers(network: Network) -> Iterable[Offer]:
    """Whose it is follows from arping and the nodes' links, which other probes ask for."""
    return ()


def means(world: World, question: Question) -> str:
    """Who owns it in that world."""
    flow = world.network.flow
    if foreign := world.get(flow.service, ADDRESS_TAKEN):
        return f"somebody else's: {foreign}"
    return ", ".join(n.removeprefix("node/") for n in responders(world, flow.service, flow.address)) or "nobody's"
