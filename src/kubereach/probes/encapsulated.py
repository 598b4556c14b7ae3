"""Whether the tunnel's packets from other nodes arrive at a node, and whole: a capture of the outer packets, a counter.

Asked of a node about `outer`: bad (their UDP checksum is wrong), fine, none (a capture saw nothing). The sender's own
capture says nothing: with offloading the checksum is filled in behind it (Linux Documentation/networking/
checksum-offloads). About `errors` (the kernel's count of UDP datagrams discarded for it): counted, zero.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import CHECKSUM_BROKEN, ENCAPSULATION, TUNNEL_BLOCKED
from kubereach.model.fact import Outcome, Packet, ProbeKind, ProbeResult, Setting
from kubereach.model.network import Network
from kubereach.probes.dropped import MANY, TUNNEL_PORTS
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate import walk as w
from kubereach.simulate.world import World

KIND = "encapsulated"
BACKGROUND: Distribution = {"bad": 0.05, "fine": 0.75, "none": 0.2, "counted": 0.05, "zero": 0.95}
_BAD, _GOOD = "bad udp cksum", ("udp sum ok", "no cksum")


def sightings(network: Network) -> Iterable[Sighting]:
    """Of each node what a capture shows of the outer packets, and what its counters say."""
    seen: dict[str, dict[str, Packet]] = {}
    for fact in network.observed:
        if isinstance(fact, Packet) and fact.device in network.nodes and _arrives(network, fact):
            answer = "bad" if _BAD in fact.info else "fine" if fact.info.endswith(_GOOD) else ""
            seen.setdefault(fact.device, {}).setdefault(answer, fact)
        elif isinstance(fact, ProbeResult) and _silent(network, fact):
            yield _sighting(fact.at, "outer", {"none"}, fact, "no encapsulated packet arrives")
        elif isinstance(fact, Setting) and fact.subject in network.nodes and _discarded(fact) >= MANY:
            yield _sighting(fact.subject, "errors", {"counted"}, fact, f"UdpInCsumErrors is {fact.value}")
    for node, packets in seen.items():
        answer = next(a for a in ("bad", "fine", "") if a in packets)
        fact = packets[answer]
        says = f"encapsulated packets from {fact.source} arrive" + (f": {_BAD}" if answer == "bad" else "")
        yield _sighting(node, "outer", {answer} if answer else {"bad", "fine"}, fact, says)


def _arrives(network: Network, fact: Packet) -> bool:
    """An outer packet from another node, at the node that it is for."""
    outer = fact.what in {"vxlan", "ipip"} or (fact.what == "udp" and fact.destination_port in TUNNEL_PORTS)
    ends = network.owners.get(fact.source), network.owners.get(fact.destination)
    return outer and ends[1] == fact.device and ends[0] in network.nodes and ends[0] != fact.device


def _silent(network: Network, fact: ProbeResult) -> bool:
    """A capture at a node that waited for the tunnel's packets, from whichever node, and saw none."""
    waited = fact.probe is ProbeKind.CAPTURE and fact.protocol == "UDP" and fact.port in TUNNEL_PORTS
    return waited and fact.at in network.nodes and not fact.target and fact.outcome is Outcome.NOT_SEEN


def _discarded(fact: Setting) -> int:
    """How many datagrams a counter says were discarded for their checksum."""
    value = str(fact.value)
    return int(value) if fact.attribute == "nstat UdpInCsumErrors" and value.isdecimal() else 0


def _sighting(node: str, about: str, answers: set[str], fact: Packet | ProbeResult | Setting, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, node, (about,)),
        answers=frozenset(answers),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """By what is wrong with the tunnel, where the flow takes it to this node."""
    if world.get("cluster", ENCAPSULATION) == "none":
        return None
    node, broken = question.where, world.get("cluster", CHECKSUM_BROKEN)
    if question.about == ("errors",):
        return {"counted": 0.85, "zero": 0.15} if broken else {"counted": 0.02, "zero": 0.98}
    if broken:
        return {"bad": 0.9, "fine": 0.08, "none": 0.02}
    if world.get(node, TUNNEL_BLOCKED):
        return {"none": 0.6, "fine": 0.38, "bad": 0.02}  # what the node's own firewall drops, a capture still shows
    flow = world.network.flow
    found = w.walk(world, flow.service, w.Packet("client", flow.address, flow.port or 80))
    crosses = any(b.endpoint == node and b.entry != node for b in found.branches)
    return {"fine": 0.93, "none": 0.05, "bad": 0.02} if crosses else None


def offers(network: Network) -> Iterable[Offer]:
    """The capture on every node with a pod, and the counter."""
    if network.seen("cluster", ENCAPSULATION) == "none" or len(network.nodes) < 2:
        return
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node, ("outer",)),
            where=node,
            command="sudo tcpdump -vvni any 'udp port 4789 or udp port 8472'   # while the client tries",
            cost=60,
            privilege="root",
            words={
                "bad": "packets from other nodes with `bad udp cksum`",
                "fine": "packets from other nodes, and no complaint of their checksum",
                "none": "nothing from other nodes",
            },
        )
        yield Offer(
            question=Question(KIND, node, ("errors",)),
            where=node,
            command="nstat -az UdpInCsumErrors   # before and after a try",
            cost=30,
            words={"counted": "the number grows", "zero": "it stays"},
        )


def means(world: World, question: Question) -> str:
    """What becomes of the tunnel's packets."""
    if world.get("cluster", CHECKSUM_BROKEN):
        return "the node discards encapsulated packets for their wrong checksum"
    if world.get(question.where, TUNNEL_BLOCKED):
        return "encapsulated packets between the nodes are dropped"
    return "encapsulated packets arrive whole"
