"""Whether size decides: small requests pass and large ones do not, or a full-size packet is too big.

Asked of the client's flow. Answers: large-fails, alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.fact import Outcome, Packet, ProbeKind, ProbeResult
from kubereach.model.network import Network
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


def _about(network: Network, fact: ProbeResult) -> bool:
    return fact.target in {network.flow.address, ""} or fact.probe is ProbeKind.CAPTURE


def _sighting(answer: str, fact: ProbeResult | Packet, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, "client"),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """Large ones alone fail where an MTU is wrong; what stalls every flow may look so too."""
    flow = world.network.flow
    found = walk(world, flow.service, Sent("client", flow.address, flow.port or 80))
    return mixed((b.weight, _TABLE.get(b.fate, {"large-fails": 0.02, "alike": 0.98})) for b in found.branches)


_TABLE: dict[Fate, Distribution] = {
    Fate.PARTIAL: {"large-fails": 0.95, "alike": 0.05},
    Fate.STALLS: {"large-fails": 0.15, "alike": 0.85},
    Fate.SLOW: {"large-fails": 0.08, "alike": 0.92},
}


def offers(network: Network) -> Iterable[Offer]:
    """A ping of full size that must not be fragmented."""
    if network.flow.address:
        yield Offer(
            question=Question(KIND, "client"),
            where="client",
            command=f"ping -M do -s 1472 -c 3 {network.flow.address}; ping -M do -s 1200 -c 3 {network.flow.address}",
            cost=30,
            words={"large-fails": "only the small one passes, or an error names an mtu", "alike": "both alike"},
        )


def means(world: World, question: Question) -> str:
    """Whether an MTU is in the way."""
    flow = world.network.flow
    found = walk(world, flow.service, Sent("client", flow.address, flow.port or 80))
    partial = any(b.fate is Fate.PARTIAL for b in found.branches)
    return "full-size packets do not fit on the way" if partial else "size is not what decides"
