"""Who answers ARP or NDP for the address on the nodes' segment: arping, neighbour tables.

Answers: none, one, several.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ADDRESS_TAKEN, ANNOUNCER, PROXY_MODE, STRICT_ARP
from kubereach.model.fact import Neighbour, Outcome, Packet, ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.arp import responders, senders
from kubereach.simulate.world import World

KIND = "arp"
BACKGROUND: Distribution = {"none": 0.4, "one": 0.5, "several": 0.1}


def sightings(network: Network) -> Iterable[Sighting]:
    """Arping's answers, and who-has requests that a capture saw without a reply."""
    address = network.flow.address
    for fact in network.observed:
        if isinstance(fact, ProbeResult) and fact.probe is ProbeKind.ARP and fact.target == address:
            answer = (
                "several" if len(fact.macs) > 1 else "one" if fact.macs or fact.outcome is Outcome.REPLY else "none"
            )
            yield _sighting(answer, fact, f"arping {address}: {answer} answer" + ("s" if answer == "several" else ""))
    yield from _captured(network)
    for fact in network.observed:
        if isinstance(fact, Neighbour) and fact.address == address and fact.device in {"client", "router", ""}:
            answer = "none" if fact.state in {"FAILED", "INCOMPLETE"} or not fact.mac else "one"
            yield _sighting(answer, fact, f"neighbour entry for {address}: {fact.mac or fact.state or 'unresolved'}")


def _captured(network: Network) -> Iterable[Sighting]:
    """Who-has requests and their answers, place by place: a reply that leaves a node has not arrived anywhere yet."""
    address = network.flow.address
    packets = [f for f in network.observed if isinstance(f, Packet)]
    replies = [f for f in packets if f.what == "arp-reply" and f.source == address]
    asked = [f for f in packets if f.what == "arp-request" and f.destination == address]
    elsewhere = [f for f in asked if f.origin.host not in {r.origin.host for r in replies}]
    at_nodes = [f for f in replies if f.device in network.nodes]
    if at_nodes and elsewhere and len(at_nodes) == len(replies):
        yield Sighting(
            question=Question(KIND, at_nodes[0].device, ("leaves",)),
            answers=frozenset({"one"}),
            origins=(at_nodes[0].origin,),
            trust=at_nodes[0].trust,
            says=f"{at_nodes[0].device.removeprefix('node/')} answers who-has {address}",
        )
        asked, replies = elsewhere, []
    for fact in network.observed:
        if not isinstance(fact, ProbeResult) or fact.protocol != "ARP" or fact.target != address:
            continue
        if fact.outcome is Outcome.NOT_SEEN and fact.at in network.nodes:
            yield Sighting(
                question=Question(KIND, fact.at, ("leaves",)),
                answers=frozenset({"none"}),
                origins=(fact.origin,),
                trust=fact.trust,
                says=f"no ARP for {address} is seen on {fact.at.removeprefix('node/')}",
            )
    owners = {f.mac for f in replies}
    if asked and sum(f.count for f in asked) > 2:
        answer = "several" if len(owners) > 1 else "one" if owners else "none"
        yield _sighting(answer, asked[0], f"who-has {address}: {len(owners) or 'no'} owner answers")


def _sighting(answer: str, fact: ProbeResult | Packet | Neighbour, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, "client"),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """The number of responders; where strictARP is unseen in IPVS mode, both settings count."""
    if "leaves" in question.about:
        flow = world.network.flow
        sends = question.where in senders(world, flow.service, flow.address)
        return {"one": 0.95, "none": 0.05} if sends else {"one": 0.03, "none": 0.97}
    outcomes = [_answer(world)]
    if world.get("cluster", PROXY_MODE) == "ipvs" and not world.known("cluster", STRICT_ARP):
        strict = not world.get("cluster", STRICT_ARP)
        outcomes.append(_answer(world.changed({STRICT_ARP.of("cluster"): strict})))
    return mixed([(0.95, mixed((1.0, {answer: 1.0}) for answer in outcomes)), (0.05, {"none": 1.0})])


def _answer(world: World) -> str:
    flow = world.network.flow
    count = len(responders(world, flow.service, flow.address)) + bool(world.get(flow.service, ADDRESS_TAKEN))
    return "none" if not count else "one" if count == 1 else "several"


def offers(network: Network) -> Iterable[Offer]:
    """The client's entry and arping, where somebody should answer."""
    if network.flow.address and (network.seen("cluster", ANNOUNCER) or "-l2").endswith(("-l2", "-arp")):
        yield Offer(
            question=Question(KIND, "client"),
            where="client",
            command="ip neigh   # on the client, or the router of the nodes' segment, after a try",
            cost=12,
            words={"none": "FAILED or INCOMPLETE", "one": "a hardware address"},
        )
    if network.flow.address and (network.seen("cluster", ANNOUNCER) or "").endswith(("-l2", "-arp")):
        yield Offer(
            question=Question(KIND, "client"),
            where="client",
            command=f"sudo arping -c 4 {network.flow.address}   # from a host on the nodes' segment",
            cost=30,
            privilege="root",
            words={"none": "no reply", "one": "replies from one MAC", "several": "replies from several MACs"},
        )


def means(world: World, question: Question) -> str:
    """Whether silence is expected."""
    if "leaves" in question.about:
        return "the node answers; whether that arrives is another question"
    layer2 = world.get("cluster", ANNOUNCER).endswith(("-l2", "-arp"))
    if not layer2:
        return "expected: the address is routed, nobody has to answer ARP for it"
    return {"none": "nobody answers for the address", "one": "one node answers", "several": "several nodes answer"}[
        _answer(world)
    ]
