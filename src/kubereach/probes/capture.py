"""Where captures saw the client's packets: tcpdump on a node, a trace that passes one, or a statement of either.

Asked of a node, or of the cluster where it is not known on which node: does traffic of a kind (`icmp`, `tcp`) for the
address arrive there, and does an `answer` leave?
Answers: seen, not-seen. Of an ICMP `error` that leaves: prohibited, unreachable.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ENDPOINTS, POLICY
from kubereach.model.fact import LogEvent, Outcome, Packet, ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes._commands import capture as capture_command
from kubereach.probes.dropped import answers_tunnel
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate import walk as w
from kubereach.simulate.world import World

KIND = "capture"
BACKGROUND: Distribution = {"seen": 0.5, "not-seen": 0.5, "prohibited": 0.1, "unreachable": 0.1}

TRIES = 3  # connections that a capture waits for


def sightings(network: Network) -> Iterable[Sighting]:
    """Packets with the address as destination, and captures that saw nothing, or of which people say what they saw."""
    address = network.flow.address
    done: set[tuple[str, str]] = set()
    for fact in network.observed:
        if isinstance(fact, Packet) and fact.destination == address and fact.device in network.nodes:
            kind = "icmp" if fact.what == "icmp-echo-request" else "tcp" if _of_the_flow(network, fact) else ""
            own = network.owners.get(fact.source) in network.nodes  # a node's own try, not the client's
            passing_by = fact.direction == "P"  # a frame for another host, which a switch floods or a tap sees
            if kind and not own and not passing_by and (fact.device, kind) not in done:
                done.add((fact.device, kind))
                yield _sighting(fact.device, kind, "seen", fact, f"{fact.what} for {address} arrives")
        elif isinstance(fact, ProbeResult) and (node := _traced_to(network, fact)):
            yield _sighting(
                node, "icmp", "seen", fact, f"{node.removeprefix('node/')} is a hop on the way to {address}"
            )
        elif isinstance(fact, ProbeResult) and _answers_leave(network, fact):
            yield _sighting(
                fact.at, "answer", fact.outcome.value, fact, f"an answer leaves the node: {fact.outcome.value}"
            )
        elif isinstance(fact, ProbeResult) and _stated_capture(network, fact):
            yield _sighting(fact.at, "tcp", fact.outcome.value, fact, f"capture: {fact.outcome.value}")
    yield from _errors(network)
    yield from _tracked(network, done)


def _tracked(network: Network, done: set[tuple[str, str]]) -> Iterable[Sighting]:
    """What a node tracks has arrived there."""
    for fact in network.observed:
        if not isinstance(fact, LogEvent) or fact.program != "conntrack":
            continue
        fields, node = dict(fact.fields), fact.device if fact.device in network.nodes else "cluster"
        ours = fields.get("dst") == network.flow.address and fields.get("src") == network.flow.client
        if ours and fields.get("dport") == str(network.flow.port) and (node, "tcp") not in done:
            done.add((node, "tcp"))
            says = f"the node tracks a connection of the client to {network.flow.address}"
            yield Sighting(
                question=Question(KIND, node, ("tcp",)),
                answers=frozenset({"seen"}),
                origins=(fact.origin,),
                trust=fact.trust,
                says=says,
            )


def _errors(network: Network) -> Iterable[Sighting]:
    """ICMP errors that leave a node. A ping may earn another one than the connection: a prohibition tells more."""
    found = [f for f in network.observed if isinstance(f, Packet) and _is_error(network, f)]
    found.sort(key=lambda f: not _prohibits(f))
    for fact in {f.device: f for f in reversed(found)}.values():
        kind = "prohibited" if _prohibits(fact) else "unreachable"
        yield _sighting(fact.device, "error", kind, fact, f"an ICMP error leaves the node: {fact.info or fact.what}")


def _prohibits(fact: Packet) -> bool:
    return "prohibited" in fact.info or "admin" in fact.info


def _of_the_flow(network: Network, fact: Packet) -> bool:
    """A packet for the service's own port; another port's may take another way (NAT, filters)."""
    return fact.what == "tcp" and (network.flow.port is None or fact.destination_port in {None, network.flow.port})


def _stated_capture(network: Network, fact: ProbeResult) -> bool:
    seen = {Outcome.SEEN, Outcome.NOT_SEEN}
    pods = {e.address for e in network.seen(network.flow.service, ENDPOINTS) or ()}
    if fact.protocol not in {"TCP", network.flow.protocol}:
        return False  # it waited for ARP alone, or for a tunnel's packets: asked as `arp` and `encapsulated`
    if network.flow.address and fact.source == network.flow.address:
        return False  # what the service sends: asked as `answer`
    # A capture of other traffic says nothing of the flow; one of the client's is what `offers` asks for.
    meant = fact.target in {"", network.flow.address, network.flow.client, *pods}
    if not fact.target and fact.port not in {None, network.flow.port}:
        return False  # it waited for another port
    return meant and fact.probe is ProbeKind.CAPTURE and _listens(network, fact) and fact.outcome in seen


def _traced_to(network: Network, fact: ProbeResult) -> str:
    """The first node of the cluster that an outside trace to the address passes, or ""."""
    if fact.probe is not ProbeKind.TRACEROUTE or fact.target != network.flow.address or fact.source != "client":
        return ""
    owners = (network.owners.get(hop, "") for hop in fact.hops)
    return next((owner for owner in owners if owner in network.nodes), "")


def _answers_leave(network: Network, fact: ProbeResult) -> bool:
    """A capture of what the service's own address sends to the client, on a node."""
    seen = {Outcome.SEEN, Outcome.NOT_SEEN}
    at_node = fact.probe is ProbeKind.CAPTURE and _listens(network, fact) and fact.outcome in seen
    return at_node and bool(network.flow.address) and fact.source == network.flow.address


def _listens(network: Network, fact: ProbeResult) -> bool:
    return fact.at == "cluster" or fact.at in network.nodes


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
    if question.about in {("answer",), ("error",)}:
        return _answered(found, question)
    kept = (
        port is None or world.get(flow.service, POLICY) == "Local"
    )  # else the source is translated on the way to another node
    share = sum(
        b.weight
        for b in found.branches
        if question.where in {b.entry, b.entry and "cluster"} or (kept and question.where == b.at)
    )
    if found.together:
        share = 1 - (1 - share) ** TRIES
    return {"seen": 0.03 + 0.94 * share, "not-seen": 0.97 - 0.94 * share}


_ANSWERED = frozenset({w.Fate.DELIVERED, w.Fate.ERROR, w.Fate.HOST, w.Fate.REFUSED, w.Fate.STALLS, w.Fate.UNREACHABLE})


def _answered(found: w.Walk, question: Question) -> Distribution:
    """Whether anything comes back from the node; an ICMP error in particular, and of which kind."""
    if question.about == ("answer",):
        share = found.share(*_ANSWERED)
        return {"seen": 0.04 + 0.92 * share, "not-seen": 0.96 - 0.92 * share}
    rejects, other = found.share(w.Fate.UNREACHABLE), found.share(w.Fate.REFUSED, w.Fate.NO_NEIGHBOUR)
    return {"prohibited": 0.01 + 0.85 * rejects, "unreachable": 0.02 + 0.1 * rejects + 0.5 * other}


def _is_error(network: Network, fact: Packet) -> bool:
    """An ICMP unreachable for the flow's client, seen at a node."""
    to_client = not network.flow.client or fact.destination == network.flow.client
    ours = fact.what == "icmp-unreachable" and fact.device in network.nodes and to_client
    return ours and not answers_tunnel(network, fact)


def offers(network: Network) -> Iterable[Offer]:
    """A capture on each node while the client tries."""
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node, ("tcp",)),
            where=node,
            command=capture_command(network),
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
