"""Whether size decides: small requests pass and large ones do not, or a full-size packet is too big.

Asked of the client's flow. Answers: large-fails, alike. Asked of a node, or of the client's way to the address, about
`path`: the same of pings that must not be fragmented, which no tunnel between nodes carries on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import MTU_BLACKHOLE
from kubereach.model.fact import Outcome, Packet, ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes._commands import don_t_fragment
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.walk import Fate, walk
from kubereach.simulate.walk import Packet as Sent
from kubereach.simulate.world import World

KIND = "sizes"
BACKGROUND: Distribution = {"large-fails": 0.1, "alike": 0.9}
_LARGE = (
    r"\b(?:large|larger|big|bigger|bulk|long|full|huge|mtu|mss|downloads?|uploads?|fragment\w*|jumbo)\b|\b1[34]\d\d\b"
)
_SMALL = r"\b(?:small|smaller|short|shorter|tiny|little|few bytes)\b"
_HEADERS = 28  # IPv4 and ICMP
_FULL = 1500
_PATH = ("path",)
_GOOD = frozenset({Outcome.REPLY, Outcome.OPEN, Outcome.SEEN})
_TOO_BIG = r"frag(?:mentation)? needed|need to frag|message too long|packet too big|packet needs to be fragmented"


def sightings(network: Network) -> Iterable[Sighting]:
    """Outcomes whose condition names a size, and the ICMP errors that name an MTU."""
    for fact in network.observed:
        if isinstance(fact, ProbeResult) and re.search(_TOO_BIG, fact.reason, re.I):
            yield _sighting("large-fails", fact, f"{fact.probe.value} {fact.target}: {fact.reason}")
        elif isinstance(fact, Packet) and re.search(_TOO_BIG, fact.info, re.I):
            yield _sighting("large-fails", fact, f"ICMP: {fact.info}"[:120])
    sized = [f for f in network.observed if isinstance(f, ProbeResult) and f.given and _about(network, f)]
    bad = [f for f in sized if f.outcome not in _GOOD and re.search(_LARGE, f.given, re.I)]
    well = [f for f in sized if f.outcome in _GOOD and re.search(_LARGE, f.given, re.I)]
    small = [f for f in sized if f.outcome in _GOOD and re.search(_SMALL, f.given, re.I)]
    if bad and not well:
        yield _sighting(
            "large-fails", bad[0], f"{bad[0].probe.value} {bad[0].target} {bad[0].outcome.value}: {bad[0].given}"
        )
    elif well and small:
        yield _sighting("alike", well[0], f"{well[0].probe.value} {well[0].target} works: {well[0].given}")
    yield from _pinged(network)


def whole(fact: ProbeResult) -> int:
    """The octets of the IPv4 packets of a ping that must not be fragmented, 0 for any other probe."""
    size = re.search(r"\s-[sl]\s?(\d{1,5})\b", fact.origin.command)
    kept = re.search(r"\s-(?:M\s?do|D|f)\b", fact.origin.command)
    return int(size[1]) + _HEADERS if fact.probe is ProbeKind.PING and size and kept else 0


def _pinged(network: Network) -> Iterable[Sighting]:
    """Pings of two sizes of one target: of the address, or of a node, which stands at the end of the same way."""
    for target in (network.flow.address, *(a for a, owner in network.owners.items() if owner in network.nodes)):
        pings = [f for f in network.observed if isinstance(f, ProbeResult) and f.target == target and whole(f)]
        sized = sorted(_sized([f for f in pings if f.source == "client"]), key=lambda pair: pair[0])
        if not sized:
            continue
        (least, small), (most, large) = sized[0], sized[-1]
        where = network.owners.get(target, "client")
        if large.outcome is Outcome.REPLY and most >= _FULL:
            says = f"a ping of {most} octets to {target} is answered"
            yield _sighting("alike", large, says, where, _PATH)
        elif least < most and small.outcome is Outcome.REPLY and large.outcome is Outcome.TIMEOUT:
            says = f"a ping of {least} octets to {target} is answered, one of {most} is not"
            yield _sighting("large-fails", large, says, where, _PATH)


def _sized(pings: list[ProbeResult]) -> list[tuple[int, ProbeResult]]:
    """Each with its size; where one line holds several commands, the sizes are in the order of the outputs."""
    found = []
    for ping in pings:
        same = sorted((p for p in pings if _line(p) == _line(ping)), key=lambda p: p.origin.first)
        sizes = [int(size) + _HEADERS for size in re.findall(r"\s-[sl]\s?(\d{1,5})\b", ping.origin.command)]
        found.append((sizes[same.index(ping)] if len(sizes) == len(same) else whole(ping), ping))
    return found


def _line(ping: ProbeResult) -> tuple[str, str]:
    return ping.origin.source, ping.origin.command


def _about(network: Network, fact: ProbeResult) -> bool:
    return fact.target in {network.flow.address, ""} or fact.probe is ProbeKind.CAPTURE


def _sighting(
    answer: str, fact: ProbeResult | Packet, says: str, where: str = "client", about: tuple[str, ...] = ()
) -> Sighting:
    return Sighting(
        question=Question(KIND, where, about),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """Large ones alone fail where an MTU is wrong; what stalls every flow may look so too."""
    flow = world.network.flow
    found = walk(world, flow.service, Sent("client", flow.address, flow.port or 80))
    if question.about == _PATH:
        return _path(world, question.where, {b.entry for b in found.branches if b.entry})
    return mixed((b.weight, _TABLE.get(b.fate, {"large-fails": 0.02, "alike": 0.98})) for b in found.branches)


def _path(world: World, where: str, entries: set[str]) -> Distribution:
    """Ways to several nodes mostly share the link that is too narrow."""
    narrow = {node for node in world.network.nodes if world.get(node, MTU_BLACKHOLE)}
    if not narrow:
        return {"large-fails": 0.02, "alike": 0.98}
    here = where in narrow or (where not in world.network.nodes and narrow & entries)
    return {"large-fails": 0.92, "alike": 0.08} if here else {"large-fails": 0.6, "alike": 0.4}


_TABLE: dict[Fate, Distribution] = {
    Fate.PARTIAL: {"large-fails": 0.95, "alike": 0.05},
    Fate.STALLS: {"large-fails": 0.15, "alike": 0.85},
    Fate.SLOW: {"large-fails": 0.08, "alike": 0.92},
}


def offers(network: Network) -> Iterable[Offer]:
    """Pings of two sizes that must not be fragmented, of a node: it answers for its own address in any case."""
    addresses = {owner: ip for ip, owner in network.owners.items() if ":" not in ip}
    keep = don_t_fragment(network)
    for node in network.nodes:
        if target := addresses.get(node):
            yield Offer(
                question=Question(KIND, node, _PATH),
                where="client",
                command=f"ping {keep} -s 1472 -c 3 {target}; ping {keep} -s 1200 -c 3 {target}",
                cost=20,
                words={"large-fails": "only the small one is answered", "alike": "both are answered"},
            )


def means(world: World, question: Question) -> str:
    """Whether an MTU is in the way."""
    flow = world.network.flow
    found = walk(world, flow.service, Sent("client", flow.address, flow.port or 80))
    partial = any(b.fate is Fate.PARTIAL for b in found.branches)
    return "full-size packets do not fit on the way" if partial else "size is not what decides"
