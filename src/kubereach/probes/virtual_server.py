"""What a node's IPVS table holds for the service: `ipvsadm -Ln`.

Answers: local (its own pods only), remote (a pod of another node among them), empty (no real server), absent.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ENDPOINTS, KUBERNETES_MINOR, NOT_PROGRAMMED, POLICY, PROXY_DOWN, PROXY_MODE
from kubereach.model.fact import VirtualServer, VirtualServerListing
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.announced import ready_endpoints
from kubereach.simulate.proxy import FALLBACK_MINOR
from kubereach.simulate.world import World

KIND = "virtual_server"
BACKGROUND: Distribution = {"local": 0.3, "remote": 0.3, "empty": 0.2, "absent": 0.2}


def sightings(network: Network) -> Iterable[Sighting]:
    """Virtual servers of the target, and whole tables without one."""
    flow = network.flow
    nodes_of = {e.address: e.node for e in network.seen(flow.service, ENDPOINTS) or ()}
    found: set[str] = set()
    for fact in network.observed:
        if not isinstance(fact, VirtualServer) or fact.address != flow.address or flow.port not in {None, fact.port}:
            continue
        found.add(fact.device)
        owners = {nodes_of.get(real.address, "") for real in fact.real_servers}
        answer = "empty" if not owners else "local" if owners == {fact.device} else "remote"
        if "" in owners:
            continue  # a pod that no endpoint list places says nothing of where it runs
        says = f"virtual server {fact.address}:{fact.port} with {len(fact.real_servers)} real servers"
        yield _sighting(fact.device, answer, fact, says)
    for fact in network.observed:
        if isinstance(fact, VirtualServerListing) and fact.complete and fact.device not in found and fact.device:
            yield _sighting(fact.device, "absent", fact, f"no virtual server for {flow.address}")


def _sighting(node: str, answer: str, fact: VirtualServer | VirtualServerListing, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, node),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """From the policy, the endpoints and the version."""
    if world.get("cluster", PROXY_MODE) != "ipvs":
        return {"absent": 1.0}
    nodes = [question.where] if question.where in world.network.nodes else list(world.network.nodes)
    return mixed((1.0, {_answer(world, node): 0.97, "absent": 0.03}) for node in nodes)


def _answer(world: World, node: str) -> str:
    service = world.network.flow.service
    if world.get(node, PROXY_DOWN) or world.get(node, NOT_PROGRAMMED):
        return "absent"
    ready = ready_endpoints(world, service)
    local = [e for e in ready if e.node == node]
    if world.get(service, POLICY) == "Local":
        if local:
            return "local"
        return "empty" if world.get("cluster", KUBERNETES_MINOR) < FALLBACK_MINOR or not ready else "remote"
    if not ready:
        return "empty"
    return "local" if len(local) == len(ready) else "remote"


def offers(network: Network) -> Iterable[Offer]:
    """The table on each node, where IPVS may be in use."""
    if network.seen("cluster", PROXY_MODE) != "ipvs":
        return
    flow = network.flow
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node),
            where=node,
            command=f"sudo ipvsadm -Ln -t {flow.address}:{flow.port or 80}",
            cost=30,
            privilege="root",
            words={
                "local": "only pods of this node",
                "remote": "a pod of another node",
                "empty": "no real server below it",
                "absent": "no such service",
            },
        )


def means(world: World, question: Question) -> str:
    """What the node does with the traffic."""
    return {
        "local": "the node passes traffic to its own pods",
        "remote": "the node passes traffic to a pod of another node",
        "empty": "the node refuses traffic: its virtual server is empty",
        "absent": "kube-proxy did not program the address there",
    }[_answer(world, question.where or world.network.nodes[0])]
