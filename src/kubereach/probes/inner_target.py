"""A connection past the external address: to a node port of a node, the service's cluster address, or a pod's own.

What works there says how far the service itself is in order, and what fails there is not the announcement's fault.
Asked with the source: (`node-port`, NODE), (`cluster-ip`,), (`pod`, NODE, or "" where nothing lists pods) or
(`health`, NODE), each with the style of probes.connect. Answers as in probes.connect; of the health-check port `local`
(200) and `none` (503) besides.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from kubereach.model import attribute as a
from kubereach.model.address import canonical_address
from kubereach.model.fact import ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes import connect
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate import fabric
from kubereach.simulate.announced import has_local
from kubereach.simulate.walk import Fate, Packet, closed, walk
from kubereach.simulate.world import World

KIND = "inner_target"
BACKGROUND: Distribution = {**connect.BACKGROUND, "local": 0.5, "none": 0.5}
# What a pod that is not ready says: its server is not up yet, or answers as it answers the readiness probe.
_NOT_READY: Distribution = {"refused": 0.45, "error": 0.3, "reply": 0.15, "timeout": 0.1}
_DAEMONS = frozenset({22, 53, 179, 6443, 10249, 10250})
_KINDS = frozenset({ProbeKind.TCP, ProbeKind.HTTP, ProbeKind.UDP})


def sightings(network: Network) -> Iterable[Sighting]:
    """Every connection to an address that is not the flow's own, as far as the evidence says whose it is."""
    for fact in network.observed:
        if not isinstance(fact, ProbeResult) or fact.probe not in _KINDS or not fact.target:
            continue
        if fact.target == network.flow.address and not _other_port_of_node(network, fact):
            continue
        about = _about(network, fact)
        answers = _health(fact) if about[:1] == ("health",) else connect.answers_of(fact)
        if about and answers:
            style = "data" if fact.probe is ProbeKind.HTTP else "handshake"
            yield Sighting(
                question=Question(KIND, connect.vantage(fact.source), (*about, style)),
                answers=answers,
                origins=(fact.origin,),
                trust=fact.trust,
                says=f"{fact.probe.value} to {_words(about)} {fact.target}:{fact.port}: {fact.outcome.value}",
            )


def _other_port_of_node(network: Network, fact: ProbeResult) -> bool:
    """Another port of a node whose own address is the flow's: its node port or health-check port."""
    flow = network.flow
    return fact.target == flow.address and fact.target in network.owners and fact.port not in {None, flow.port}


def _words(about: tuple[str, ...]) -> str:
    return {"node-port": "node port", "cluster-ip": "cluster address", "pod": "pod", "health": "health check"}[about[0]]


def _about(network: Network, fact: ProbeResult) -> tuple[str, ...]:
    service = network.flow.service
    owner = network.owners.get(fact.target, "")
    if owner in network.nodes:
        if fact.port is not None and fact.port == network.seen(service, a.HEALTH_PORT):
            return ("health", owner)
        ports = network.seen(service, a.NODE_PORTS)
        fits = fact.port in ports if ports else fact.port in a.NODE_PORT_RANGE
        return ("node-port", owner) if fits else ()
    if fact.target == network.seen(service, a.CLUSTER_IP):
        served = network.seen(service, a.PORTS) or ()
        return ("cluster-ip",) if not served or fact.port in {None, *(p.port for p in served)} else ()
    endpoint = next((e for e in network.seen(service, a.ENDPOINTS) or () if e.address == fact.target), None)
    if endpoint is None:
        return ("pod", "") if _taken_for_pod(network, fact) else ()
    return ("pod", endpoint.node)


def _taken_for_pod(network: Network, fact: ProbeResult) -> bool:
    """Whether the address, which nothing tells of, is a pod's most likely: it was tried on a node, beside the service.

    A cluster address that was not shown says the same of the pods behind it.
    """
    unknown = network.seen(network.flow.service, a.ENDPOINTS) is None and fact.target not in network.owners
    tried_inside = fact.source in network.nodes and bool(network.flow.address) and fact.target != network.flow.address
    used_by_pods = fact.port not in _DAEMONS and fact.port not in a.NODE_PORT_RANGE
    address = canonical_address(fact.target)
    return unknown and tried_inside and used_by_pods and address is not None and ip_address(address).is_private


def _health(fact: ProbeResult) -> frozenset[str]:
    if fact.http_status is not None:
        return frozenset({"local"}) if fact.http_status < 400 else frozenset({"none"})
    answers = connect.answers_of(fact)
    return frozenset({"local", "none"}) if answers == {"reply"} else answers


def predict(world: World, question: Question) -> Distribution | None:
    """From the walk to that address; to a pod, from the pod network and the pod alone."""
    if question.where == "router":
        return None
    kind, style = str(question.about[0]), question.about[-1]
    table = connect.table_of(str(style))
    if kind == "pod":
        return _to_pod(world, question)
    service = world.network.flow.service
    address, port = _target(world, question)
    if not address:
        return None
    if kind == "cluster-ip" and question.where == "client":
        return None  # whether cluster addresses are routed outside is another matter
    found = walk(world, service, Packet(question.where, address, port))
    mixture = connect.of_walk(found, table)
    if kind != "health":
        return mixture
    node = str(question.about[1])
    counted = 0.9 if has_local(world, service, node) else 0.1
    if counted > 0.5 and world.get(node, a.LOCAL_BROKEN):
        counted = 0.5  # in half of its forms no endpoint counts as local
    reply = mixture.get("reply", 0.0)
    rest = {answer: p for answer, p in mixture.items() if answer != "reply"}
    return {**rest, "local": reply * counted, "none": reply * (1 - counted)}


def _target(world: World, question: Question) -> tuple[str, int]:
    service = world.network.flow.service
    if question.about[0] == "cluster-ip":
        ports = world.get(service, a.PORTS)
        return world.get(service, a.CLUSTER_IP), ports[0].port if ports else 80
    node = question.about[1]
    address = next((ip for ip, owner in world.network.owners.items() if owner == node), "")
    if question.about[0] == "health":
        return address, world.get(service, a.HEALTH_PORT)
    shown = world.get(service, a.NODE_PORTS)
    return address, shown[0] if shown else 30000


def _to_pod(world: World, question: Question) -> Distribution | None:
    service, node = world.network.flow.service, str(question.about[1])
    table = connect.table_of(str(question.about[-1]))
    if closed(world, service):
        return table[Fate.REFUSED]
    own = question.where == node
    endpoints = world.get(service, a.ENDPOINTS)
    shown = [e.ready for e in endpoints if node in {"", e.node}]
    if (shown and not any(shown)) or (not endpoints and world.get(service, a.WHY_EMPTY) != "selector"):
        return _NOT_READY
    if question.where not in world.network.nodes and not world.get(service, a.POLICY_DROP):
        return None  # outside, the pod network may or may not be routed
    there = table[Fate.ERROR] if world.get(service, a.APP_ERROR) else table[Fate.DELIVERED]
    if own or not (fate := _on_the_way(world, question.where, node)):
        return there
    apart = 1.0 if node else 1 - 1 / len(world.network.nodes)  # one that nothing places may run where it was tried
    return mixed([(apart, table[fate]), (1 - apart, there)])


def _on_the_way(world: World, where: str, node: str) -> Fate | None:
    """What becomes of a packet to a pod of another node than `where`; a pod's own node is admitted, and beside it."""
    if world.get(world.network.flow.service, a.POLICY_DROP) or world.get(
        world.network.flow.service, a.WRONG_POD_NETWORK
    ):
        return Fate.LOST
    if any(fabric.lost_between(world, where, other) for other in ([node] if node else world.network.nodes)):
        return Fate.LOST
    return Fate.PARTIAL if world.get("cluster", a.FORWARD_MTU) else None


def offers(network: Network) -> Iterable[Offer]:
    """The node port of each node, which leaves the announcement out; the pod from its node, which leaves all out."""
    yield from _of_pods(network)
    ports = network.seen(network.flow.service, a.NODE_PORTS)
    addresses = {owner: ip for ip, owner in network.owners.items()}
    for node in network.nodes:
        if ports and node in addresses and network.flow.address != addresses[node]:
            yield Offer(
                question=Question(KIND, "client", ("node-port", node, "data")),
                where="client",
                command=f"curl -sS -m 5 -o /dev/null -w '%{{http_code}}\\n' http://{addresses[node]}:{ports[0]}/",
                cost=15,
                words={"reply": "an answer", "timeout": "silence until the time-out", "refused": "refused at once"},
            )


def _of_pods(network: Network) -> Iterable[Offer]:
    """A pod's own port, from the node that runs it."""
    shown = network.seen(network.flow.service, a.ENDPOINTS) or ()
    for endpoint in shown:
        if endpoint.ready and endpoint.address and endpoint.node in network.nodes and endpoint.port:
            yield Offer(
                question=Question(KIND, endpoint.node, ("pod", endpoint.node, "data")),
                where=endpoint.node,
                command=f"curl -sS -m 5 -o /dev/null -w '%{{http_code}}\\n' http://{endpoint.address}:{endpoint.port}/",
                cost=20,
                words={"reply": "an answer", "refused": "refused at once", "error": "an HTTP error status"},
            )
            return


def means(world: World, question: Question) -> str:
    """Where the packet ends in that world."""
    if question.about[0] == "pod":
        return "the pod itself, without the service"
    address, port = _target(world, question)
    found = walk(world, world.network.flow.service, Packet(question.where, address, port)) if address else None
    return "; ".join(dict.fromkeys(b.why for b in found.branches)) if found else ""
