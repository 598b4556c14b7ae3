"""By which interface of a node the answer leaves: captures of the request and of the answer on the same node.

Asked of a node. Answers: other (than the request came in by), same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import REPLY_WRONG_INTERFACE
from kubereach.model.fact import Packet
from kubereach.model.network import Network
from kubereach.probes._commands import capture
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.world import World

KIND = "return_leg"
BACKGROUND: Distribution = {"other": 0.05, "same": 0.95}
# Inside the node the same packet passes these too: pods' ends, tunnels, bridges of pods, the proxy's own devices.
_INNER = r"any$|lo$|veth|cali|lxc|cni|cbr|docker|br-[0-9a-f]{12}|tunl|vxlan|flannel|cilium|genev|weave|kube-|ovn|antrea"


def sightings(network: Network) -> Iterable[Sighting]:
    """Nodes on which both directions were captured."""
    address = network.flow.address
    shown = [f for f in network.observed if isinstance(f, Packet) and address and f.what == "tcp" and _leg(f)]
    for node in network.nodes:
        came = [f for f in shown if f.device == node and f.destination == address and f.direction != "Out"]
        left = [f for f in shown if f.device == node and f.source == address and f.direction != "In"]
        pairs = [(c, a) for c in came for a in left if a.destination == c.source]
        if not pairs:
            continue
        same = next((p for p in pairs if p[0].interface == p[1].interface), None)
        request, answer = same or pairs[0]
        yield Sighting(
            question=Question(KIND, node),
            answers=frozenset({"same" if same else "other"}),
            origins=(request.origin, answer.origin),
            trust=min(request.trust, answer.trust),
            says=f"the request comes in by {request.interface}, the answer leaves by {answer.interface}",
        )


def _leg(fact: Packet) -> bool:
    return bool(fact.interface) and re.match(_INNER, fact.interface) is None


def predict(world: World, question: Question) -> Distribution | None:
    """From the world's leaf; bonds and bridges make a second name for the same leg now and then."""
    if world.get(question.where, REPLY_WRONG_INTERFACE):
        return {"other": 0.95, "same": 0.05}
    return {"other": 0.03, "same": 0.97}


def offers(network: Network) -> Iterable[Offer]:
    """A capture on all interfaces of each node while the client tries."""
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node),
            where=node,
            command=capture(network),
            cost=60,
            privilege="root",
            words={"other": "the SYN-ACK leaves by another interface", "same": "by the same"},
        )


def means(world: World, question: Question) -> str:
    """Whether the way back is the way there."""
    if world.get(question.where, REPLY_WRONG_INTERFACE):
        return "the answer takes another interface than the request"
    return "request and answer use the same interface"
