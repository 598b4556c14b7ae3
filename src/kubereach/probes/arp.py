"""Who answers ARP or NDP for the address on the nodes' segment: arping, captures at the asker, neighbour tables.

Answers: none, one, several. Asked with `withdrawn`, of the address while no service has it; with `entry`, of a table,
which holds one owner at most whoever answers: none, one; and with `repeated`, of an asker that a node hears asking
again and again: none. What else a node sees of it is another probe's (arp_wire): answers go to the asker alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import (
    ADDRESS_TAKEN,
    ANNOUNCER,
    HELD_BY_TURNS,
    PROXY_MODE,
    STALE_NEIGHBOUR,
    STRICT_ARP,
)
from kubereach.model.fact import Neighbour, Outcome, Packet, ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.arp import responders
from kubereach.simulate.world import World

KIND = "arp"
_WITHDRAWN = r"\b(?:service|svc)\b.{0,20}\b(?:delet|remov|gone|absent)|\b(?:without|no) (?:the |a )?(?:service|svc)\b"
BACKGROUND: Distribution = {"none": 0.4, "one": 0.5, "several": 0.1}


def sightings(network: Network) -> Iterable[Sighting]:
    """Arping's answers, who-has requests that a capture saw where the asker is, and the entries of tables."""
    address = network.flow.address
    for fact in network.observed:
        if isinstance(fact, ProbeResult) and fact.probe is ProbeKind.ARP and fact.target == address:
            answer = (
                "several" if len(fact.macs) > 1 else "one" if fact.macs or fact.outcome is Outcome.REPLY else "none"
            )
            says = f"arping {address}: {answer} answer" + ("s" if answer == "several" else "")
            withdrawn = re.search(_WITHDRAWN, fact.given, re.I)
            yield _sighting(
                answer, fact, f"{says}, {fact.given}" if withdrawn else says, ("withdrawn",) * bool(withdrawn)
            )
    yield from _captured(network)
    yield from _repeated(network)
    for fact in network.observed:
        if isinstance(fact, Neighbour) and fact.address == address and fact.device in {"client", "router", ""}:
            answer = "none" if fact.state in {"FAILED", "INCOMPLETE"} or not fact.mac else "one"
            says = f"neighbour entry for {address}: {fact.mac or fact.state or 'unresolved'}"
            yield _sighting(answer, fact, says, ("entry",))


def _captured(network: Network) -> Iterable[Sighting]:
    """Who-has requests and their answers, but for captures on nodes."""
    address = network.flow.address
    packets = [f for f in network.observed if isinstance(f, Packet) and f.device not in network.nodes]
    asked = [f for f in packets if f.what == "arp-request" and f.destination == address]
    owners = {f.mac for f in packets if f.what == "arp-reply" and f.source == address}
    if asked and sum(f.count for f in asked) > 2:
        answer = "several" if len(owners) > 1 else "one" if owners else "none"
        yield _sighting(answer, asked[0], f"who-has {address}: {len(owners) or 'no'} owner answers")


def _repeated(network: Network) -> Iterable[Sighting]:
    """An asker that a node hears asking more than twice, and gets no answer from that node: none came from others.

    Answers go to the asker alone, but who has one asks no more for a while: Linux asks three times, a second apart
    (Documentation/networking/ip-sysctl, neigh mcast_solicit and retrans_time_ms).
    """
    address = network.flow.address
    packets = [f for f in network.observed if isinstance(f, Packet) and f.device in network.nodes]
    answered = {f.device for f in packets if f.what == "arp-reply" and f.source == address}
    asked: dict[tuple[str, str], list[Packet]] = {}
    for fact in packets:
        if fact.what == "arp-request" and fact.destination == address and fact.source not in {"", address}:
            asked.setdefault((fact.device, fact.source), []).append(fact)
    for (device, asker), requests in asked.items():
        if device not in answered and sum(f.count for f in requests) > 2:
            says = f"{asker} asks who has {address} again and again, as one who gets no answer"
            yield _sighting("none", requests[0], says, ("repeated",))
            return


def _sighting(answer: str, fact: ProbeResult | Packet | Neighbour, says: str, about: tuple[str, ...] = ()) -> Sighting:
    return Sighting(
        question=Question(KIND, "client", about),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """The number of responders; where strictARP is unseen in IPVS mode, both settings count."""
    if question.about == ("entry",):
        return _entry(world)
    if question.about == ("withdrawn",):
        taken = bool(world.get(world.network.flow.service, ADDRESS_TAKEN))
        return {"one": 0.9, "several": 0.05, "none": 0.05} if taken else {"none": 0.95, "one": 0.04, "several": 0.01}
    outcomes = [_answer(world)]
    if world.get("cluster", PROXY_MODE) == "ipvs" and not world.known("cluster", STRICT_ARP):
        strict = not world.get("cluster", STRICT_ARP)
        outcomes.append(_answer(world.changed({STRICT_ARP.of("cluster"): strict})))
    expected = mixed((1.0, {answer: 1.0}) for answer in outcomes)
    if world.get(world.network.flow.service, HELD_BY_TURNS):
        expected = mixed([(0.7, expected), (0.2, {"none": 1.0}), (0.1, {"several": 1.0})])
    vain = 0.1 if question.about == ("repeated",) else 0.05  # somebody may run arping, which goes on when answered
    return mixed([(1 - vain, expected), (vain, {"none": 1.0})])


def _entry(world: World) -> Distribution:
    """What one table holds: one owner's address, an old one's at times where nobody answers any more."""
    stale = world.get("router", STALE_NEIGHBOUR) or world.get("segment", STALE_NEIGHBOUR)
    if stale or _answer(world) != "none":
        away = 0.2 if world.get(world.network.flow.service, HELD_BY_TURNS) else 0.05
        return {"one": 1 - away, "none": away}
    return {"none": 0.95, "one": 0.05}


def _answer(world: World) -> str:
    flow = world.network.flow
    count = len(responders(world, flow.service, flow.address)) + bool(world.get(flow.service, ADDRESS_TAKEN))
    return "none" if not count else "one" if count == 1 else "several"


def offers(network: Network) -> Iterable[Offer]:
    """The client's entry and arping, where somebody should answer."""
    if network.flow.address and (network.seen("cluster", ANNOUNCER) or "-l2").endswith(("-l2", "-arp")):
        yield Offer(
            question=Question(KIND, "client", ("entry",)),
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
    layer2 = world.get("cluster", ANNOUNCER).endswith(("-l2", "-arp"))
    if not layer2:
        return "expected: the address is routed, nobody has to answer ARP for it"
    return {"none": "nobody answers for the address", "one": "one node answers", "several": "several nodes answer"}[
        _answer(world)
    ]
