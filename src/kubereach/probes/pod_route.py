"""Whether a node has a working route to pods of other nodes: `ip route get POD`. Answers: tunnel, plain, none."""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ENCAPSULATION, ENDPOINTS
from kubereach.model.fact import RouteLookup
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.fabric import no_pod_route
from kubereach.simulate.world import World

KIND = "pod_route"
BACKGROUND: Distribution = {"tunnel": 0.4, "plain": 0.4, "none": 0.2}
_TUNNELS = ("vxlan", "tunl", "flannel", "cilium_", "wireguard")


def sightings(network: Network) -> Iterable[Sighting]:
    """Look-ups of an endpoint's address on a node that does not run it."""
    pods = {e.address: e.node for e in network.seen(network.flow.service, ENDPOINTS) or ()}
    for fact in network.observed:
        if not isinstance(fact, RouteLookup) or fact.address not in pods or fact.device not in network.nodes:
            continue
        if pods[fact.address] == fact.device:
            continue
        tunnel = fact.interface.startswith(_TUNNELS)
        to_router = network.owners.get(fact.via) == "router"
        answer = "tunnel" if tunnel else "none" if to_router or fact.kind != "unicast" else "plain"
        yield Sighting(
            question=Question(KIND, fact.device),
            answers=frozenset({answer}),
            origins=(fact.origin,),
            trust=fact.trust,
            says=f"{fact.address} via {fact.via or fact.interface or fact.kind}",
        )


def predict(world: World, question: Question) -> Distribution | None:
    """From mesh and encapsulation."""
    others = [n for n in world.network.nodes if n != question.where]
    if not others:
        return None
    if no_pod_route(world, question.where, others[0]):
        return {"none": 0.95, "plain": 0.04, "tunnel": 0.01}
    if world.get("cluster", ENCAPSULATION) == "none":
        return {"plain": 0.95, "none": 0.04, "tunnel": 0.01}
    return {"tunnel": 0.9, "plain": 0.08, "none": 0.02}


def offers(network: Network) -> Iterable[Offer]:
    """The look-up on every node that does not run the pod."""
    endpoints = network.seen(network.flow.service, ENDPOINTS) or ()
    for endpoint in endpoints[:1]:
        for node in network.nodes:
            if endpoint.address and endpoint.node and node != endpoint.node:
                yield Offer(
                    question=Question(KIND, node),
                    where=node,
                    command=f"ip route get {endpoint.address}; kubectl get ippools -o yaml",
                    cost=20,
                    words={
                        "tunnel": "dev vxlan.calico or tunl0",
                        "plain": "via another node",
                        "none": "via the default gateway",
                    },
                )


def means(world: World, question: Question) -> str:
    """Whether the fallback to a remote pod can work."""
    others = [n for n in world.network.nodes if n != question.where]
    reason = no_pod_route(world, question.where, others[0]) if others else ""
    return reason or "the node reaches pods of other nodes"
