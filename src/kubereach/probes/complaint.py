"""The report itself: somebody collects evidence because something seems broken. Answer: complains.

A working flow brings few such reports; one whose symptom is misread brings them as well as a broken one.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ADDRESSES, MISREAD
from kubereach.model.fact import BgpSession, Outcome, ProbeKind, ProbeResult, Route, Trust
from kubereach.model.network import Network
from kubereach.probes.connect import many_ports
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.probes.route_use import uneven
from kubereach.simulate.walk import WORKS, Packet, walk
from kubereach.simulate.world import World

KIND = "complaint"
BACKGROUND: Distribution = {"complains": 0.8, "silent": 0.2}
UNASKED = "unasked"  # no service was tried: only what is named may be complained of
_GOOD = frozenset({Outcome.REPLY, Outcome.OPEN})


def _good(fact: ProbeResult) -> bool:
    """Whether the probe got what its sender wanted; an HTTP error status is an answer and no success."""
    return fact.outcome in _GOOD and (fact.http_status is None or fact.http_status < 400)


def sightings(network: Network) -> Iterable[Sighting]:
    """A complaint, unless the client's own probe of the service succeeded and nothing else failed."""
    mine = (f for f in network.observed if isinstance(f, ProbeResult) and f.target == network.flow.address)
    probes = [f for f in mine if not many_ports(f)]
    nothing_asked = not network.flow.address and network.seen(network.flow.service, ADDRESSES) is None and not probes
    routing = any(isinstance(f, BgpSession | Route) for f in network.observed)
    if nothing_asked and routing and not uneven(network):
        return  # sessions or routes alone: whoever shows them complains of those, and of no service
    service = [f for f in probes if f.probe in {ProbeKind.TCP, ProbeKind.HTTP} and f.source == "client"]
    fine = [f for f in service if _good(f) and f.port in {None, network.flow.port}]
    if fine and all(_good(f) for f in service if f.port in {None, network.flow.port}):
        bad = [f for f in probes if f.outcome in {Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.REFUSED}]
        if not bad:
            return
    bases = _bases(network, probes)
    yield Sighting(
        question=Question(KIND, "client", (*bases, UNASKED) if nothing_asked else bases),
        answers=frozenset({"complains"}),
        origins=(),
        trust=Trust.STATED,
        says="somebody finds it broken",
    )


def _bases(network: Network, probes: list[ProbeResult]) -> tuple[str, ...]:
    """What the complaint may rest on, if the service itself works: the probes that failed without testing it."""
    failed = [f for f in probes if not _good(f)]
    bases = {"uneven"} if uneven(network) else set()
    for fact in failed:
        if fact.probe in {ProbeKind.PING, ProbeKind.TRACEROUTE, ProbeKind.ARP}:
            bases.add("icmp")
        elif fact.source.startswith(("node/", "pod/")):
            bases.add("same-node")
        elif fact.probe in {ProbeKind.TCP, ProbeKind.HTTP} and fact.port not in {None, network.flow.port}:
            bases.add("wrong-port")
    if not failed:
        bases.add("expected")
    return tuple(sorted(bases))


def predict(world: World, question: Question) -> Distribution | None:
    """Likely when the flow fails or its symptoms are misread."""
    if UNASKED in question.about and world.get("client", MISREAD) not in question.about:
        return {"complains": 0.1, "silent": 0.9}
    flow = world.network.flow
    found = walk(world, flow.service, Packet(flow.source, flow.address, flow.port or 80))
    if found.share(*WORKS) < 0.98 or world.get("client", MISREAD) in question.about:
        return {"complains": 0.95, "silent": 0.05}
    return {"complains": 0.04, "silent": 0.96}


def offers(network: Network) -> Iterable[Offer]:
    """Nobody is asked whether they complain."""
    return ()


def means(world: World, question: Question) -> str:
    """Nothing of its own."""
    return ""
