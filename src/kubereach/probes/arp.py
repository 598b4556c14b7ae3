"""Who answers ARP or NDP for the address on the nodes' segment: arping, neighbour tables.

Answers: none, one, several.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ADDRESS_TAKEN, ANNOUNCER, PROXY_MODE, STRICT_ARP
from kubereach.model.fact import Neighbour, Outcome, Packet, ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.arp import responders
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
    asked = [
        f for f in network.observed if isinstance(f, Packet) and f.what == "arp-request" and f.destination == address
    ]
    owners = {
        f.mac for f in network.observed if isinstance(f, Packet) and f.what == "arp-reply" and f.source == address
    }
    if asked and sum(f.count for f in asked) > 2:
        answer = "several" if len(owners) > 1 else "one" if owners else "none"
        yield _sighting(answer, asked[0], f"who-has {address}: {len(owners) or 'no'} owner answers")
    for fact in network.observed:
        if isinstance(fact, Neighbour) and fact.address == address and fact.device in {"client", "router", ""}:
            answer = "none" if fact.state in {"FAILED", "INCOMPLETE"} or not fact.mac else "one"
            yield _sighting(answer, fact, f"neighbour entry for {address}: {fact.mac or fact.state or 'unresolved'}")


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
    """arping, where somebody should answer."""
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
    layer2 = world.get("cluster", ANNOUNCER).endswith(("-l2", "-arp"))
    if not layer2:
        return "expected: the address is routed, nobody has to answer ARP for it"
    return {"none": "nobody answers for the address", "one": "one node answers", "several": "several nodes answer"}[
        _answer(world)
    ]
