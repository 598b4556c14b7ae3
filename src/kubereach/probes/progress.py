"""How far the flow's packets get on a node: one capture on all interfaces while the client tries.

Asked of a node that the requests enter. Answers: arrives (and nothing more is seen of them), bounced (they leave again
for the same address), to-pod (they go on to a pod, nothing comes back), answered (the pod answers, and the answer does
not leave), leaves (an answer in the service's name leaves), refused (a reset leaves).
A capture for the client's address shows the way to the pod only where the source is kept, so under policy Local.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import NO_ROUTE_BACK, POLICY
from kubereach.model.fact import Packet
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate import walk as w
from kubereach.simulate.delivery import closed
from kubereach.simulate.world import World

KIND = "progress"
BACKGROUND: Distribution = {
    "arrives": 0.3,
    "bounced": 0.1,
    "to-pod": 0.1,
    "answered": 0.1,
    "leaves": 0.3,
    "refused": 0.1,
}
_SMEAR = 0.04
# The captures whose silence about pods and answers means something: all interfaces, no filter but the client's address.
_WHOLE = r"\btcpdump\b.*\s-\w*i\s*any\b(?!.*\bport\b)"


def sightings(network: Network) -> Iterable[Sighting]:
    """Of each node with a capture that shows requests coming in, how far they got."""
    for node in network.nodes:
        shown = [f for f in network.observed if isinstance(f, Packet) and f.device == node and f.what == "tcp"]
        shown = [f for f in shown if f.direction in {"In", "Out"} and _whole(network, f)]
        came = [f for f in shown if f.flags == "S" and f.direction == "In" and f.destination == network.flow.address]
        if came and (network.flow.port is None or came[0].destination_port == network.flow.port):
            last, answer = _furthest(network, came[0], shown)
            yield Sighting(
                question=Question(KIND, node),
                answers=frozenset({answer}),
                origins=(came[0].origin, last.origin) if last is not came[0] else (last.origin,),
                trust=last.trust,
                says=_SAID[answer],
            )


_SAID = {
    "arrives": "requests arrive at the node and go no further",
    "bounced": "requests arrive at the node and leave again for the same address",
    "to-pod": "requests go on to a pod and nothing comes back",
    "answered": "the pod answers and the answer does not leave the node",
    "leaves": "an answer in the service's name leaves the node",
    "refused": "a reset goes back to the client",
}


def _whole(network: Network, fact: Packet) -> bool:
    command = fact.origin.command
    others = re.search(r"\bhost\s+(\S+)", command)
    return re.search(_WHOLE, command) is not None and (others is None or others[1] == network.flow.client)


def _furthest(network: Network, request: Packet, shown: list[Packet]) -> tuple[Packet, str]:
    """The packet that got furthest, and what that means."""
    address, client = network.flow.address, request.source
    back = [f for f in shown if f.destination == client]
    on = [f for f in shown if f.source == client and f.flags == "S" and f.direction == "Out"]
    stages = (
        ("leaves", [f for f in back if f.source == address and f.direction == "Out" and f.flags.startswith("S")]),
        ("refused", [f for f in back if f.source == address and f.direction == "Out" and f.flags.startswith("R")]),
        ("answered", [f for f in back if f.source != address and f.direction == "In"]),
        ("to-pod", [f for f in on if f.destination != address]),
        ("bounced", [f for f in on if f.destination == address]),
    )
    return next(((packets[0], stage) for stage, packets in stages if packets), (request, "arrives"))


def predict(world: World, question: Question) -> Distribution | None:
    """From the branches that enter at the node; None where none does."""
    flow = world.network.flow
    found = w.walk(world, flow.service, w.Packet("client", flow.address, flow.port or 80))
    entering = [b for b in found.branches if b.entry == question.where]
    if not entering:
        return None
    kept = world.get(flow.service, POLICY) == "Local"
    stages = mixed((b.weight, _stage(world, b, kept=kept)) for b in entering)
    return mixed([(1 - _SMEAR, stages), (_SMEAR, BACKGROUND)])


def _stage(world: World, branch: w.Branch, *, kept: bool) -> Distribution:
    unseen = "to-pod" if kept else "arrives"
    if branch.fate is w.Fate.LOOPS:
        return {"bounced": 0.9, "arrives": 0.1}
    if branch.fate is w.Fate.REFUSED:
        if closed(world, world.network.flow.service):
            return {"refused": 1.0}
        return {"arrives": 0.6, "refused": 0.4}  # an ICMP error, which a capture of TCP leaves out, or a reset
    if branch.fate is w.Fate.HOST:
        return {"leaves": 0.4, "refused": 0.6}
    if branch.fate in {w.Fate.UNREACHABLE, w.Fate.NO_NEIGHBOUR}:
        return {"arrives": 0.8, unseen: 0.2}
    if branch.fate is not w.Fate.LOST or branch.back:
        caught = world.get(branch.entry, NO_ROUTE_BACK)  # without any route it stays, with a wrong one it leaves
        return {"leaves": 0.5, "answered" if kept else "arrives": 0.5} if caught else {"leaves": 1.0}
    kinds = [step.kind for step in branch.forward]
    if "deliver" in kinds:  # a policy at the pod: most sit before its interface
        return {"arrives": 0.8, unseen: 0.2}
    return {unseen: 0.6, "arrives": 0.4} if kinds[-1:] == ["route"] else {"arrives": 1.0}


def offers(network: Network) -> Iterable[Offer]:
    """The same capture that shows whether anything arrives."""
    client = network.flow.client or "CLIENT"
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node),
            where=node,
            command=f"sudo tcpdump -eni any host {client} and tcp   # while the client tries",
            cost=60,
            privilege="root",
            words=_SAID,
        )


def means(world: World, question: Question) -> str:
    """How far they get there."""
    expected = predict(world, question) or {}
    return _SAID.get(max(expected, key=lambda answer: expected[answer], default=""), "")
