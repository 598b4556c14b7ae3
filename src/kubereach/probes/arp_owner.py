"""Whose hardware addresses answer or stand in neighbour tables for the address.

Answers: node (one node's), nodes (of several nodes), foreign (of a host that is no known node). Asked only where the
nodes' own hardware addresses are known, or where those seen tell two makers apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubereach.model.attribute import ADDRESS_TAKEN, MACS
from kubereach.model.fact import Neighbour, Packet, ProbeResult, Trust
from kubereach.model.network import Network
from kubereach.model.origin import Origin
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.arp import responders
from kubereach.simulate.world import World

KIND = "arp_owner"
BACKGROUND: Distribution = {"node": 0.6, "nodes": 0.2, "foreign": 0.2}
_UNRESOLVED = frozenset({"FAILED", "INCOMPLETE"})


def sightings(network: Network) -> Iterable[Sighting]:
    """All hardware addresses that were seen for the address, compared with the nodes' own."""
    seen = {mac.lower(): (origin, trust) for mac, origin, trust in _seen(network)}
    owners = {mac: node for node in network.nodes for mac in _macs(network, node)}
    if not seen or not owners:
        return
    nodes = {owners[mac] for mac in seen if mac in owners}
    strangers = [mac for mac in seen if mac not in owners]
    everyone = all(_macs(network, node) for node in network.nodes)
    if strangers and not everyone:
        return  # it may be the node whose address is not shown
    answer = "foreign" if strangers else "nodes" if len(nodes) > 1 else "node"
    origin, trust = next(iter(seen.values()))
    yield Sighting(
        question=Question(KIND, "client"),
        answers=frozenset({answer}),
        origins=(origin,),
        trust=trust,
        says=f"{', '.join(seen)} answers for {network.flow.address}",
    )


def _macs(network: Network, node: str) -> tuple[str, ...]:
    return network.seen(node, MACS) or ()


def _seen(network: Network) -> Iterator[tuple[str, Origin, Trust]]:
    address = network.flow.address
    for fact in network.observed:
        if isinstance(fact, ProbeResult) and fact.target == address:
            yield from ((mac, fact.origin, fact.trust) for mac in fact.macs)
        answered = isinstance(fact, Packet) and fact.what == "arp-reply" and fact.source == address
        cached = isinstance(fact, Neighbour) and fact.address == address and fact.state not in _UNRESOLVED
        if isinstance(fact, (Packet, Neighbour)) and (answered or cached) and fact.mac:
            yield fact.mac, fact.origin, fact.trust


def predict(world: World, question: Question) -> Distribution | None:
    """Responders that are nodes, and the foreign owner where there is one."""
    flow = world.network.flow
    nodes, foreign = responders(world, flow.service, flow.address), world.get(flow.service, ADDRESS_TAKEN)
    if foreign:
        return {"foreign": 0.9, "node": 0.05, "nodes": 0.05}
    if not nodes:
        return None
    expected = "nodes" if len(nodes) > 1 else "node"
    return {"node": 0.03, "nodes": 0.03, "foreign": 0.02} | {expected: 0.94}


def offers(network: Network) -> Iterable[Offer]:
    """Whose it is follows from arping and the nodes' links, which other probes ask for."""
    return ()


def means(world: World, question: Question) -> str:
    """Who owns it in that world."""
    flow = world.network.flow
    if foreign := world.get(flow.service, ADDRESS_TAKEN):
        return f"somebody else's: {foreign}"
    return ", ".join(n.removeprefix("node/") for n in responders(world, flow.service, flow.address)) or "nobody's"
