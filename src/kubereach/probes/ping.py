"""ICMP echo and traceroute to the address: says who owns it, and nothing about the service.

Answers: reply, timeout, unreachable (another host says so), unresolved (the pinging host itself says so: nobody answers
its ARP requests), intermittent, loops (a trace goes in circles, or time to live exceeded).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import HELD_BY_TURNS, HOST_ENDPOINT_DROP
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.probes.sizes import whole
from kubereach.simulate.walk import Branch, Fate, Packet, on_node, walk
from kubereach.simulate.world import World

KIND = "ping"
BACKGROUND: Distribution = {
    "reply": 0.5,
    "timeout": 0.3,
    "unreachable": 0.08,
    "unresolved": 0.04,
    "intermittent": 0.05,
    "loops": 0.03,
}
# Linux prints its own address as the sender; BSD and macOS print the error of sendto(2), after a failed ARP request.
_ITS_OWN = r"\bhost is down\b|sendto: no route to host"
_UNRESOLVED: Distribution = {"unresolved": 0.6, "timeout": 0.4}
_TABLE: dict[Fate, Distribution] = {
    Fate.HOST: {"reply": 0.97, "timeout": 0.03},
    Fate.DELIVERED: {"reply": 0.5, "timeout": 0.5},
    Fate.REFUSED: {"unreachable": 0.75, "timeout": 0.25},
    Fate.UNREACHABLE: {"unreachable": 0.8, "timeout": 0.2},
    Fate.NO_NEIGHBOUR: {"unreachable": 0.6, "timeout": 0.4},
    Fate.NO_ROUTE: {"unreachable": 0.4, "timeout": 0.6},
    Fate.LOOPS: {"loops": 0.3, "unreachable": 0.25, "timeout": 0.43, "reply": 0.02},
    Fate.SOMETIMES: {"reply": 0.5, "intermittent": 0.25, "timeout": 0.25},
    Fate.LOST: {"timeout": 0.97, "unreachable": 0.03},
}
_ANSWERS = {
    Outcome.REPLY: "reply",
    Outcome.TIMEOUT: "timeout",
    Outcome.UNREACHABLE: "unreachable",
    Outcome.INTERMITTENT: "intermittent",
}


def sightings(network: Network) -> Iterable[Sighting]:
    """Every ping of the address; a traceroute that ends there is one too."""
    for fact in network.observed:
        if not isinstance(fact, ProbeResult) or fact.target != network.flow.address:
            continue
        if "frag" in fact.reason.lower() or whole(fact):
            continue  # a ping of full size is a question about the MTU (probes.sizes), not about who answers
        traced = fact.probe is ProbeKind.TRACEROUTE and fact.port is None
        if (fact.probe is ProbeKind.PING or traced) and fact.outcome in _ANSWERS:
            where = fact.source if fact.source.startswith(("node/", "pod/")) else "client"
            yield Sighting(
                question=Question(KIND, where),
                answers=frozenset({"loops"}) if loops(fact) else _answers(network, fact),
                origins=(fact.origin,),
                trust=fact.trust,
                says=f"{fact.probe.value} {fact.target}: {fact.outcome.value}",
            )


def _answers(network: Network, fact: ProbeResult) -> frozenset[str]:
    """What the ping saw; where it is open who says that the address is unreachable, either is possible."""
    if fact.outcome is not Outcome.UNREACHABLE:
        return frozenset({_ANSWERS[fact.outcome]})
    reason = fact.reason.lower()
    said = re.search(r"\(from ([\w.:]+)\)", reason)
    sender = said[1] if said else ""
    if re.search(_ITS_OWN, reason) or (sender and sender == network.flow.client):
        return frozenset({"unresolved"})
    if sender and (network.flow.client or sender in network.owners):
        return frozenset({"unreachable"})
    return frozenset({"unreachable", "unresolved"})


def loops(fact: ProbeResult) -> bool:
    """Whether the trace comes back to a host it has left, or an answer says that the time to live was used up."""
    seen = [hop for hop in fact.hops if hop]
    again = {hop for i, hop in enumerate(seen) if hop in seen[: max(i - 1, 0)] and seen[i - 1] != hop}
    return bool(again) or bool(re.search(r"time to live|ttl (?:expired|exceeded)", fact.reason.lower()))


def predict(world: World, question: Question) -> Distribution | None:
    """From the walk of an echo request."""
    flow = world.network.flow
    found = walk(world, flow.service, Packet(question.where, flow.address, None, "ICMP"))
    if any(b.fate not in _TABLE for b in found.branches):
        return None
    answers = mixed((b.weight, _seen(b, question.where)) for b in found.branches)
    if world.get(flow.service, HELD_BY_TURNS):
        answers = mixed([(0.7, answers), (0.3, _UNRESOLVED)])  # between two turns nobody holds the address
    if any(on_node(world, b.entry, HOST_ENDPOINT_DROP) for b in found.branches if b.entry):
        return mixed([(0.5, answers), (0.5, _TABLE[Fate.LOST])])  # some such policies let pings in, most name TCP alone
    return answers


def _seen(branch: Branch, where: str) -> Distribution:
    if branch.fate is Fate.NO_NEIGHBOUR and branch.at == where:
        return _UNRESOLVED
    return _TABLE[branch.fate]


def offers(network: Network) -> Iterable[Offer]:
    """Ping tells the proxy's mode apart, and little else."""
    if network.flow.address:
        yield Offer(
            question=Question(KIND, "client"),
            where="client",
            command=f"ping -c 3 {network.flow.address}",
            cost=10,
            words={
                "reply": "replies",
                "timeout": "silence",
                "unreachable": "another host says unreachable, or time to live exceeded",
                "unresolved": "your own host says unreachable, or that the host is down",
            },
        )


def means(world: World, question: Question) -> str:
    """Whose stack answers, or why none does."""
    flow = world.network.flow
    found = walk(world, flow.service, Packet(question.where, flow.address, None, "ICMP"))
    branch = max(found.branches, key=lambda b: b.weight)
    if branch.fate is Fate.HOST:
        name = branch.entry.removeprefix("node/")
        return f"{name}'s own kernel answers, since kube-proxy bound the address there; says nothing about the service"
    return branch.why
