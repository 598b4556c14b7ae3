"""How far a node's connection tracking saw the client's connections come: `conntrack -L` while the client tries.

Asked of a node. Answers: unanswered (sent on to a pod, and nothing came back), half-open (the pod answered, and of the
client nothing more came), established.
What a filter drops is never listed: an entry is confirmed behind the last of them (nf_conntrack_confirm).
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import PROXY_MODE
from kubereach.model.fact import LogEvent
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, likeliest, mixed
from kubereach.simulate import walk as w
from kubereach.simulate.world import World

KIND = "tracked"
BACKGROUND: Distribution = {"unanswered": 0.35, "half-open": 0.25, "established": 0.4}
_SMEAR = 0.1
_STATES = {
    "SYN_SENT": "unanswered",
    "UNREPLIED": "unanswered",
    "SYN_RECV": "half-open",
    "ESTABLISHED": "established",
    "ASSURED": "established",
}
_SAID = {
    "unanswered": "the node sends the client's connections on, and nothing comes back",
    "half-open": "answers come back to the node, and of the client nothing more",
    "established": "the node has established connections of the client",
}


def sightings(network: Network) -> Iterable[Sighting]:
    """Of each node, the state that most entries of the flow's client have, where they agree."""
    flow = network.flow
    found: dict[str, dict[str, LogEvent]] = {}
    for fact in network.observed:
        if not isinstance(fact, LogEvent) or fact.program != "conntrack" or fact.device not in network.nodes:
            continue
        fields = dict(fact.fields)
        ours = fields.get("dst") == flow.address and fields.get("dport", "") in {"", str(flow.port or "")}
        if ours and fields.get("src") == flow.client and fact.event in _STATES:
            found.setdefault(fact.device, {}).setdefault(_STATES[fact.event], fact)
    for node, states in found.items():
        if len(states) == 1:
            answer, fact = next(iter(states.items()))
            yield Sighting(
                question=Question(KIND, node),
                answers=frozenset({answer}),
                origins=(fact.origin,),
                trust=fact.trust,
                says=_SAID[answer],
            )


def predict(world: World, question: Question) -> Distribution | None:
    """From the branches that enter at the node; eBPF keeps tables of its own."""
    flow = world.network.flow
    if world.get("cluster", PROXY_MODE) == "ebpf":
        return None
    found = w.walk(world, flow.service, w.Packet("client", flow.address, flow.port or 80))
    entering = [b for b in found.branches if b.entry == question.where]
    if not entering:
        return None
    return mixed([(1 - _SMEAR, mixed((b.weight, _state(b)) for b in entering)), (_SMEAR, BACKGROUND)])


def _state(branch: w.Branch) -> Distribution:
    if branch.fate is w.Fate.STALLS and branch.at == "router":
        return {"half-open": 0.85, "established": 0.15}  # the client's own ACK is what the router drops first
    if branch.fate is not w.Fate.LOST:
        works = branch.fate in w.WORKS | w.PARTLY or branch.fate in {w.Fate.ERROR, w.Fate.STALLS}
        return {"established": 1.0} if works else BACKGROUND
    if branch.back and branch.at == branch.entry:
        return {"half-open": 1.0}
    last = branch.forward[-1].kind if branch.forward else ""
    return {"unanswered": 1.0} if branch.at != branch.entry or last in {"route", "deliver"} else BACKGROUND


def offers(network: Network) -> Iterable[Offer]:
    """The entries of the address on each node."""
    for node in network.nodes if network.flow.address else ():
        yield Offer(
            question=Question(KIND, node),
            where=node,
            command=f"sudo conntrack -L -d {network.flow.address}   # while the client tries",
            cost=45,
            privilege="root",
            words={"unanswered": "SYN_SENT, UNREPLIED", "half-open": "SYN_RECV", "established": "ESTABLISHED"},
        )


def means(world: World, question: Question) -> str:
    """How far the connections come there."""
    return _SAID.get(likeliest(predict(world, question)), "")
