"""How far the flow's packets get on a node: one capture on all interfaces while the client tries.

Asked of a node that the requests enter. Answers: arrives (and nothing more is seen of them), bounced (they leave again
for the same address), to-pod (they go on to a pod, nothing comes back), answered (the pod answers, and the answer does
not leave), leaves (an answer in the service's name leaves), refused (a reset leaves).
A capture for the client's address shows the way to the pod only where the source is kept, so under policy Local; one
for the ports of service and pod, or of everything, shows it always: its question is about `ports`. One on a single
interface shows what leaves there: about `leg`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import ENDPOINTS, NO_ROUTE_BACK, POLICY, PORTS, PROXY_MODE, REPLY_WRONG_INTERFACE
from kubereach.model.fact import Packet
from kubereach.model.network import Network
from kubereach.probes._commands import capture
from kubereach.probes.question import Distribution, Offer, Question, Sighting, likeliest, mixed
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
_ANY = r"\btcpdump\b.*\s-\w*i\s*any\b"


def sightings(network: Network) -> Iterable[Sighting]:
    """Of each node with a capture that shows requests coming in, how far they got."""
    for node in network.nodes:
        every = [f for f in network.observed if isinstance(f, Packet) and f.device == node and f.what == "tcp"]
        shown = [f for f in every if f.direction in {"In", "Out"} and _whole(network, f)]
        came = [f for f in shown if f.flags == "S" and f.direction == "In" and f.destination == network.flow.address]
        if came and (network.flow.port is None or came[0].destination_port == network.flow.port):
            kept = any(f.origin.command == came[0].origin.command and _shows_pods(network, f) for f in came)
            last, answers = _furthest(network, came[0], shown)
            yield Sighting(
                question=Question(KIND, node, ("ports",) if kept else ()),
                answers=answers,
                origins=(came[0].origin, last.origin) if last is not came[0] else (last.origin,),
                trust=last.trust,
                says=_SAID[next(stage for stage in _ORDER if stage in answers)],
            )
        elif not shown:
            yield from _on_one_leg(network, node, every)


def _on_one_leg(network: Network, node: str, shown: list[Packet]) -> Iterable[Sighting]:
    """What a capture on one interface, or one of unknown filter, shows all the same.

    An answer in the service's name is certain where it is seen. Silence after several requests says that none leaves by
    the interface that the requests come in by, where the filter would have let one through.
    """
    address, port = network.flow.address, network.flow.port
    came = [f for f in shown if f.flags == "S" and f.direction != "Out" and f.destination == address]
    came = [f for f in came if port in {None, f.destination_port}]
    if not came or not address:
        return
    clients = {f.source for f in came}
    back = [f for f in shown if f.source == address and f.destination in clients and f.direction != "In"]
    left = next((f for f in back if f.flags.startswith(("S", "R"))), None)
    if left is not None:
        stage = "leaves" if left.flags.startswith("S") else "refused"
        yield Sighting(
            question=Question(KIND, node),
            answers=frozenset({stage}),
            origins=(came[0].origin, left.origin),
            trust=left.trust,
            says=_SAID[stage],
        )
    elif not back and sum(f.count for f in came) > 2 and _hears_answers(came[0].origin.command):
        yield Sighting(
            question=Question(KIND, node, ("leg",)),
            answers=frozenset({"arrives", "bounced", "to-pod", "answered"}),
            origins=(came[0].origin,),
            trust=came[0].trust,
            says="requests arrive at the node and no answer leaves by the same interface",
        )


def _hears_answers(command: str) -> bool:
    """Whether the capture's filter, as far as it is known, lets answers to the requests through."""
    return "tcpdump" in command and re.search(r"\b(?:dst|src|grep)\b|tcp\[|-Q ?in\b", command) is None


_SAID = {
    "arrives": "requests arrive at the node and go no further",
    "bounced": "requests arrive at the node and leave again for the same address",
    "to-pod": "requests go on to a pod and nothing comes back",
    "answered": "the pod answers and the answer does not leave the node",
    "leaves": "an answer in the service's name leaves the node",
    "refused": "a reset goes back to the client",
}
_ORDER = ("leaves", "refused", "answered", "to-pod", "bounced", "arrives")


def _whole(network: Network, fact: Packet) -> bool:
    """Whether the capture's silence about pods and answers means something.

    It must have listened on all interfaces, for the client's address or for the service's and the pods' ports.
    """
    command = fact.origin.command
    others = re.search(r"\bhost\s+(\S+)", command)
    if re.search(_ANY, command) is None or (others is not None and others[1] != network.flow.client):
        return False
    return re.search(r"\bport\b", command) is None or _shows_pods(network, fact)


def _shows_pods(network: Network, fact: Packet) -> bool:
    """Whether the filter lets packets between the node and the pods through, whatever their source."""
    command = fact.origin.command
    ports = {int(p) for p in re.findall(r"\bport\s+(\d{1,5})\b", command)}
    targets = _target_ports(network)
    return "host" not in command.split() and (not ports or (bool(targets) and ports >= targets | {network.flow.port}))


def _target_ports(network: Network) -> set[int | None]:
    service = network.flow.service
    served = [p.target for p in network.seen(service, PORTS) or () if network.flow.port in {None, p.port}]
    held = [e.port for e in network.seen(service, ENDPOINTS) or ()]
    return {int(text) for p in (*served, *held) if (text := str(p or "")).isdecimal()}


def _furthest(network: Network, request: Packet, shown: list[Packet]) -> tuple[Packet, frozenset[str]]:
    """The packet that got furthest, and what that means.

    A pod is asked by others too, the kubelet before all: only the request's own source or port makes its leg certain.
    """
    address, client = network.flow.address, request.source
    pods = {e.address for e in network.seen(network.flow.service, ENDPOINTS) or () if e.address}
    back = [f for f in shown if f.destination == client]
    on = [f for f in shown if f.flags == "S" and f.direction == "Out"]
    sent = [f for f in on if f.source == client and f.destination != address]
    like = [f for f in on if f.source != client and f.destination in pods]
    answered = [f for f in back if f.source != address and f.direction == "In"]
    reply = [f for f in shown if f.source in pods and f.direction == "In" and f.flags.startswith("S")]
    same = [f for f in like if f.source_port == request.source_port]
    stages = (
        ("leaves", [f for f in back if f.source == address and f.direction == "Out" and f.flags.startswith("S")]),
        ("refused", [f for f in back if f.source == address and f.direction == "Out" and f.flags.startswith("R")]),
        ("answered", [*answered, *(f for f in reply if f.destination_port == request.source_port)]),
        ("to-pod", [*sent, *same]),
        ("bounced", [f for f in on if f.source == client and f.destination == address]),
    )
    found = next(((packets[0], stage) for stage, packets in stages if packets), (request, "arrives"))
    if found[1] == "arrives" and like:
        return like[0], frozenset({"arrives", "to-pod", "answered"} if reply else {"arrives", "to-pod"})
    return found[0], frozenset({found[1]})


def predict(world: World, question: Question) -> Distribution | None:
    """From the branches that enter at the node; None where none does."""
    flow = world.network.flow
    found = w.walk(world, flow.service, w.Packet("client", flow.address, flow.port or 80))
    entering = [b for b in found.branches if b.entry == question.where]
    if not entering:
        return None
    kept = question.about in {("ports",), ("leg",)} or world.get(flow.service, POLICY) == "Local"
    stages = mixed((b.weight, _stage(world, b, kept=kept)) for b in entering)
    if question.about == ("leg",) and world.get(question.where, REPLY_WRONG_INTERFACE):
        stages = {"arrives": 1.0}  # what leaves by another interface is not seen on this one
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
    if branch.fate is w.Fate.SLOW:  # the pod's node discards the first tries
        return {unseen: 0.7, "leaves": 0.25, "arrives": 0.05}
    if branch.fate is not w.Fate.LOST:
        return {"leaves": 1.0}
    if branch.back and branch.at == branch.entry:
        caught = world.get(branch.entry, NO_ROUTE_BACK)  # without any route it stays, with a wrong one it leaves
        return {"leaves": 0.5, "answered" if kept else "arrives": 0.5} if caught else {"leaves": 1.0}
    if branch.at != branch.entry:  # lost on the pod's node, or the answer passes this one by
        return {unseen: 0.85, "arrives": 0.15} if world.get("cluster", PROXY_MODE) == "ebpf" else {unseen: 1.0}
    kinds = [step.kind for step in branch.forward]
    if "deliver" in kinds:  # a policy at the pod: most sit before its interface
        return {"arrives": 0.8, unseen: 0.2}
    return {unseen: 0.6, "arrives": 0.4} if kinds[-1:] == ["route"] else {"arrives": 1.0}


def offers(network: Network) -> Iterable[Offer]:
    """The same capture that shows whether anything arrives."""
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node),
            where=node,
            command=capture(network),
            cost=60,
            privilege="root",
            words=_SAID,
        )


def means(world: World, question: Question) -> str:
    """How far they get there."""
    return _SAID.get(likeliest(predict(world, question)), "")
