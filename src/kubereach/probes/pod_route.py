"""Whether a node has a working route to pods of other nodes: `ip route get POD`, or its whole table.

Answers: tunnel, plain (by another node), none (by the default route, or refused).
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.address import contains, prefix_length
from kubereach.model.attribute import ENCAPSULATION, ENDPOINTS
from kubereach.model.fact import NextHop, Route, RouteListing, RouteLookup
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
    asked: set[str] = set()
    for fact in network.observed:
        if not isinstance(fact, RouteLookup) or fact.address not in pods or fact.device not in network.nodes:
            continue
        if pods[fact.address] != fact.device:
            asked.add(fact.device)
            where = fact.via or fact.interface or fact.kind
            yield _sighting(network, fact, fact.address, (fact.via, fact.interface, fact.kind, where))
    whole = {f.device for f in network.observed if isinstance(f, RouteListing) and f.complete and not f.prefix}
    for node in whole & set(network.nodes) - asked:
        address = next((a for a, owner in pods.items() if a and owner not in {"", node}), "")
        routes = [
            f
            for f in network.observed
            if isinstance(f, Route)
            and f.device == node
            and f.table == "main"
            and address
            and contains(f.prefix, address)
        ]
        if routes:
            best = max(routes, key=lambda f: prefix_length(f.prefix))
            hop = best.next_hops[0] if best.next_hops else NextHop()
            where = f"{best.prefix} {hop.via or hop.interface or best.kind}"
            yield _sighting(network, best, address, (hop.via, hop.interface, best.kind, where))


def _sighting(network: Network, fact: Route | RouteLookup, address: str, way: tuple[str, str, str, str]) -> Sighting:
    """`way`: the next hop, the interface, the kind of the route, and all of it in words."""
    via, interface, kind, words = way
    by_default = network.owners.get(via) == "router" or (isinstance(fact, Route) and prefix_length(fact.prefix) == 0)
    answer = "tunnel" if interface.startswith(_TUNNELS) else "none" if by_default or kind != "unicast" else "plain"
    return Sighting(
        question=Question(KIND, fact.device),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=f"{address} via {words}",
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
