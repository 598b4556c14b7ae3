"""Where captures saw the client's packets: tcpdump on a node, or a statement that one did or did not.

Asked of a node: does traffic of a kind (`icmp`, `tcp`) for the address arrive there? Answers: seen, not-seen.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ENDPOINTS
from kubereach.model.fact import Outcome, Packet, ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate import walk as w
from kubereach.simulate.world import World

KIND = "capture"
BACKGROUND: Distribution = {"seen": 0.5, "not-seen": 0.5}


def sightings(network: Network) -> Iterable[Sighting]:
    """Packets with the address as destination, and stated captures. A capture's silence is stated only by people."""
    address = network.flow.address
    done: set[tuple[str, str]] = set()
    for fact in network.observed:
        if isinstance(fact, Packet) and fact.destination == address and fact.device in network.nodes:
            kind = "icmp" if fact.what == "icmp-echo-request" else "tcp" if fact.what == "tcp" else ""
            if kind and (fact.device, kind) not in done:
                done.add((fact.device, kind))
                yield _sighting(fact.device, kind, "seen", fact, f"{fact.what} for {address} arrives")
        elif isinstance(fact, ProbeResult) and _stated_capture(network, fact):
            yield _sighting(fact.at, "tcp", fact.outcome.value, fact, f"capture: {fact.outcome.value}")


def _stated_capture(network: Network, fact: ProbeResult) -> bool:
    seen = {Outcome.SEEN, Outcome.NOT_SEEN}
    pods = {e.address for e in network.seen(network.flow.service, ENDPOINTS) or ()}
    meant = fact.target in {"", network.flow.address, *pods}  # a capture of other traffic says nothing of the flow
    return meant and fact.probe is ProbeKind.CAPTURE and fact.at in network.nodes and fact.outcome in seen


def _sighting(node: str, kind: str, answer: str, fact: Packet | ProbeResult, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, node, (kind,)),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """The share of branches that enter at, or reach, the node."""
    flow = world.network.flow
    port = None if question.about == ("icmp",) else flow.port or 80
    packet = w.Packet("client", flow.address, port, "ICMP" if port is None else "TCP")
    found = w.walk(world, flow.service, packet)
    share = sum(b.weight for b in found.branches if question.where in {b.entry, b.at})
    return {"seen": 0.03 + 0.94 * share, "not-seen": 0.97 - 0.94 * share}


def offers(network: Network) -> Iterable[Offer]:
    """A capture on each node while the client tries."""
    client = network.flow.client or "CLIENT"
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node, ("tcp",)),
            where=node,
            command=f"sudo tcpdump -eni any host {client} and tcp   # while the client tries",
            cost=60,
            privilege="root",
            words={"seen": "a SYN arrives", "not-seen": "nothing"},
        )


def means(world: World, question: Question) -> str:
    """Where the traffic enters."""
    flow = world.network.flow
    port = None if question.about == ("icmp",) else flow.port or 80
    packet = w.Packet("client", flow.address, port, "ICMP" if port is None else "TCP")
    entries = {b.entry.removeprefix("node/") for b in w.walk(world, flow.service, packet).branches if b.entry}
    return f"the traffic enters at {', '.join(sorted(entries))}" if entries else "the traffic reaches no node"
