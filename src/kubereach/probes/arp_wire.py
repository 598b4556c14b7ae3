"""ARP on the wire of a node while somebody asks for the address: a capture on all interfaces.

Asked of a node. Answers: nothing (no request arrives), asked (a request arrives and this node does not answer),
answers (the node's answer leaves).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import ANNOUNCER, ARP_LOST, MACS, POOL_OFFLINK, STALE_NEIGHBOUR
from kubereach.model.fact import AnyFact, Outcome, ProbeResult
from kubereach.model.fact import Packet as Captured
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, likeliest
from kubereach.simulate.arp import responders, senders
from kubereach.simulate.walk import Packet, walk
from kubereach.simulate.world import World

KIND = "arp_wire"
BACKGROUND: Distribution = {"nothing": 0.4, "asked": 0.3, "answers": 0.3}


def sightings(network: Network) -> Iterable[Sighting]:
    """What captures with ARP show of the address on each node; of an empty one its summary."""
    for node in network.nodes:
        shown = [f for f in network.observed if _about(f, node, network.flow.address)]
        if not shown:
            continue
        packets = [f for f in shown if isinstance(f, Captured)]
        left = [f for f in packets if f.what == "arp-reply" and _own(network, f, node)]
        came = [f for f in packets if f.what == "arp-request" and f.direction != "Out"]
        answer, first = ("answers", left) if left else ("asked", came) if came else ("nothing", shown)
        yield Sighting(
            question=Question(KIND, node),
            answers=frozenset({answer}),
            origins=(first[0].origin,),
            trust=first[0].trust,
            says=_SAID[answer],
        )


def _about(fact: AnyFact, node: str, address: str) -> bool:
    """Whether it is ARP for the address at the node, or the result of a capture that asked for just that."""
    if isinstance(fact, Captured):
        asked = fact.what == "arp-request" and fact.destination == address
        return (
            fact.device == node and bool(address) and (asked or (fact.what == "arp-reply" and fact.source == address))
        )
    if not isinstance(fact, ProbeResult) or fact.at != node or not address:
        return False
    missed = fact.outcome is Outcome.NOT_SEEN and fact.protocol == "ARP" and fact.target == address
    return missed or _asks(fact.origin.command, address)


def _own(network: Network, fact: Captured, node: str) -> bool:
    """Whether an answer is the node's own: it leaves, or bears one of its hardware addresses where those are shown."""
    if fact.direction:
        return fact.direction == "Out"
    macs = network.seen(node, MACS) or ()
    return not macs or not fact.mac or fact.mac.lower() in macs


_SAID = {
    "nothing": "no ARP request for the address arrives at the node",
    "asked": "an ARP request for the address arrives and the node does not answer",
    "answers": "the node answers ARP for the address",
}


def _asks(command: str, address: str) -> bool:
    return re.search(r"\btcpdump\b.*\barp\b", command) is not None and address in command


def predict(world: World, question: Question) -> Distribution | None:
    """Who is asked, and who answers, whether or not that arrives."""
    if not world.get("cluster", ANNOUNCER).endswith(("-l2", "-arp")):
        return {"nothing": 0.8, "asked": 0.18, "answers": 0.02}
    flow, node = world.network.flow, question.where
    if world.get(flow.service, POOL_OFFLINK) or any(world.get(s, ARP_LOST) for s in (node, "cluster")):
        return {"nothing": 0.92, "asked": 0.05, "answers": 0.03}
    stale = world.get("router", STALE_NEIGHBOUR) or world.get("segment", STALE_NEIGHBOUR)
    asked = 0.25 if stale else 0.85  # who holds an entry asks only now and then, and then the holder alone
    if not _comes_that_far(world):
        asked *= _BY_OTHERS
    answers = node in senders(world, flow.service, flow.address)
    # A request that refreshes an entry reaches its holder alone.
    seen = asked if answers or not responders(world, flow.service, flow.address) else asked * 0.5
    return {"nothing": 1 - seen, "asked": 0.03 if answers else seen, "answers": seen - 0.03 if answers else 0.0}


_BY_OTHERS = 0.4  # other clients and health checks ask too; estimate


def _comes_that_far(world: World) -> bool:
    """Whether the client's packet has somebody on the nodes' segment ask, and is not lost before."""
    flow = world.network.flow
    branches = walk(world, flow.service, Packet("client", flow.address, flow.port)).branches
    return any(step.kind == "resolve-neighbour" for branch in branches for step in branch.forward)


def offers(network: Network) -> Iterable[Offer]:
    """A capture on each node."""
    if not network.flow.address or ":" in network.flow.address:
        return
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node),
            where=node,
            command=f"sudo tcpdump -eni any arp and host {network.flow.address}   # while the client tries",
            cost=60,
            privilege="root",
            words=_SAID,
        )


def means(world: World, question: Question) -> str:
    """Whether the node is asked, and answers."""
    return _SAID.get(likeliest(predict(world, question)), "")
