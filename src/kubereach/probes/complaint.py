"""The report itself: somebody collects evidence because something seems broken, and shows why they think so.

Answers: `service` (a test of the service itself failed), `aside` (only tests failed that do not test the service from
outside: ping, another port, a cluster node), `nothing` (no failed test is shown), silent. A working flow brings few
such reports; one whose symptom is misread brings them as well as a broken one, and rests on something else.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ADDRESSES, MISREAD, NAME_ELSEWHERE, PORTS
from kubereach.model.fact import BgpSession, Outcome, ProbeKind, ProbeResult, Route, Trust
from kubereach.model.network import Network
from kubereach.probes.connect import many_ports
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.probes.route_use import uneven
from kubereach.simulate.walk import WORKS, Packet, walk
from kubereach.simulate.world import World

KIND = "complaint"
BACKGROUND: Distribution = {"service": 0.5, "aside": 0.11, "nothing": 0.19, "silent": 0.2}
# Who cannot reach a service has nearly always tried it; who misreads something shows just that.
_BROKEN: Distribution = {"service": 0.6, "aside": 0.13, "nothing": 0.22, "silent": 0.05}
_WORKS: Distribution = {"service": 0.025, "aside": 0.006, "nothing": 0.009, "silent": 0.96}
_ASIDE: Distribution = {"service": 0.1, "aside": 0.8, "nothing": 0.05, "silent": 0.05}
_FROM_INSIDE: Distribution = {"service": 0.75, "aside": 0.15, "nothing": 0.05, "silent": 0.05}
_BY_DESIGN: Distribution = {"service": 0.05, "aside": 0.1, "nothing": 0.8, "silent": 0.05}
_DESPITE: Distribution = {"service": 0.05, "aside": 0.1, "nothing": 0.3, "silent": 0.55}  # something else shows
_BY_NAME: Distribution = {"service": 0.5, "aside": 0.13, "nothing": 0.22, "silent": 0.15}  # by address it may well work
_OTHER_TESTS = frozenset({"icmp", "wrong-port", "same-node"})
UNASKED = "unasked"  # no service was tried: only what is named may be complained of
_GOOD = frozenset({Outcome.REPLY, Outcome.OPEN})
_BAD = frozenset({Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.REFUSED, Outcome.FAILED})


def _good(fact: ProbeResult) -> bool:
    """Whether the probe got what its sender wanted; an HTTP error status is an answer and no success."""
    return fact.outcome in _GOOD and (fact.http_status is None or fact.http_status < 400)


def sightings(network: Network) -> Iterable[Sighting]:
    """A complaint, unless the client's own probe of the service succeeded, nothing failed, and no load is uneven."""
    mine = (f for f in network.observed if isinstance(f, ProbeResult) and _concerns(network, f))
    probes = [f for f in mine if not many_ports(f)]
    nothing_asked = not network.flow.address and network.seen(network.flow.service, ADDRESSES) is None and not probes
    routing = any(isinstance(f, BgpSession | Route) for f in network.observed)
    if nothing_asked and routing and not uneven(network):
        return  # sessions or routes alone: whoever shows them complains of those, and of no service
    service = [f for f in probes if f.probe in {ProbeKind.TCP, ProbeKind.HTTP} and f.source == "client"]
    fine = [f for f in service if _good(f) and f.port in {None, network.flow.port}]
    if fine and all(_good(f) for f in service if f.port in {None, network.flow.port}):
        bad = [f for f in probes if f.outcome in _BAD]
        if not bad and not uneven(network):
            return
    bases = _bases(network, probes)
    yield Sighting(
        question=Question(KIND, "client", (*bases, UNASKED) if nothing_asked else bases),
        answers=frozenset({_rests_on(network, probes)}),
        origins=(),
        trust=Trust.STATED,
        says="somebody finds it broken",
    )


def _concerns(network: Network, fact: ProbeResult) -> bool:
    """A probe of the flow's address, or of a port of the service on a node, where it is not served."""
    if fact.target == network.flow.address:
        return True
    served = {p.port for p in network.seen(network.flow.service, PORTS) or ()}
    return fact.port in served and network.owners.get(fact.target) in network.nodes


def _rests_on(network: Network, probes: list[ProbeResult]) -> str:
    failed = [f for f in probes if not _good(f)]
    if not failed:
        return "nothing"
    # Who asks for the address by ARP looks for its announcer: beside other tests that adds nothing, alone it is one.
    others = [f for f in failed if f.probe is not ProbeKind.ARP]
    return "aside" if others and all(_kind(network, f) for f in others) else "service"


def _kind(network: Network, fact: ProbeResult) -> str:
    """What a probe tests instead of the service from outside; "" for the service itself."""
    flow = network.flow
    if fact.probe in {ProbeKind.PING, ProbeKind.TRACEROUTE}:
        return "icmp"
    if fact.probe is ProbeKind.CAPTURE:
        return ""
    if fact.port is not None and (fact.port != flow.port or fact.target != flow.address):
        served = {p.port for p in network.seen(flow.service, PORTS) or ()}
        if fact.target != flow.address or fact.port not in served:
            return "wrong-port"
    return "same-node" if fact.source.startswith(("node/", "pod/")) and flow.source == "client" else ""


def _bases(network: Network, probes: list[ProbeResult]) -> tuple[str, ...]:
    """What the complaint may rest on, if the service itself works: the probes that failed without testing it."""
    failed = [f for f in probes if not _good(f)]
    bases = {"uneven"} if uneven(network) else set()
    for fact in (f for f in failed if f.probe is not ProbeKind.ARP):
        bases.add(_kind(network, fact) or ("same-node" if fact.source.startswith(("node/", "pod/")) else ""))
    bases.discard("")
    if not failed:
        bases.add("expected")
    return tuple(sorted(bases))


def predict(world: World, question: Question) -> Distribution | None:
    """Likely when the flow fails or its symptoms are misread."""
    if UNASKED in question.about and world.get("client", MISREAD) not in question.about:
        return {"nothing": 0.1, "silent": 0.9}
    flow = world.network.flow
    if world.get("client", NAME_ELSEWHERE):
        return _BY_NAME
    found = walk(world, flow.service, Packet(flow.source, flow.address, flow.port or 80))
    misread = world.get("client", MISREAD)
    if misread in question.about:
        if misread == "same-node" and flow.source != "client":
            return _FROM_INSIDE
        if misread == "expected" and "uneven" in question.about:
            return _DESPITE
        return _ASIDE if misread in _OTHER_TESTS else _BY_DESIGN
    return _BROKEN if found.share(*WORKS) < 0.98 else _WORKS


def offers(network: Network) -> Iterable[Offer]:
    """Nobody is asked whether they complain."""
    return ()


def means(world: World, question: Question) -> str:
    """Nothing of its own."""
    return ""
