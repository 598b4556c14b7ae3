"""A port of the address that the service does not have: whose daemons answer there.

Answers: open, closed, silent.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import ANNOUNCER, HOST_FIREWALL, INPUT_FIREWALL, PORTS
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.probes.connect import many_ports
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.walk import Fate, Packet, on_node, walk
from kubereach.simulate.world import World

KIND = "other_port"
BGP_PORT = 179
BACKGROUND: Distribution = {"open": 0.3, "closed": 0.35, "silent": 0.35}
# sshd and a BGP daemon listen on all addresses of a node; so do kubelet and the API server.
_LISTENED = frozenset({22, BGP_PORT, 6443, 10250, 9100})
_TABLE: dict[Fate, Distribution] = {
    Fate.REFUSED: {"closed": 0.5, "silent": 0.5},  # nmap calls an ICMP port unreachable filtered
    Fate.UNREACHABLE: {"silent": 0.95, "closed": 0.05},
    Fate.NO_NEIGHBOUR: {"silent": 1.0},
    Fate.NO_ROUTE: {"silent": 1.0},
    Fate.LOOPS: {"silent": 1.0},
    Fate.LOST: {"silent": 1.0},
}
_ANSWERS = {
    Outcome.OPEN: "open",
    Outcome.REPLY: "open",
    Outcome.CLOSED: "closed",
    Outcome.REFUSED: "closed",
    Outcome.FILTERED: "silent",
    Outcome.TIMEOUT: "silent",
}


def sightings(network: Network) -> Iterable[Sighting]:
    """Every probe of a port that the service is known not to have."""
    ports = network.seen(network.flow.service, PORTS)
    served = {p.port for p in ports} if ports else {network.flow.port}
    for fact in network.observed:
        if not isinstance(fact, ProbeResult) or fact.probe not in {ProbeKind.TCP, ProbeKind.HTTP}:
            continue
        if fact.target != network.flow.address or None in served or fact.port in served:
            continue
        if network.owners.get(fact.target) in network.nodes:
            continue  # a node's own address serves node ports: probes.inner_target
        if fact.port is None and not many_ports(fact):
            continue
        if fact.source == "client" and (answer := _ANSWERS.get(fact.outcome)):
            yield Sighting(
                question=Question(KIND, "client", ("listened" if _listened(network, fact.port) else "unused",)),
                answers=frozenset({answer}),
                origins=(fact.origin,),
                trust=fact.trust,
                says=f"{_named(fact)} of {fact.target}: {fact.outcome.value}",
            )


def _listened(network: Network, port: int | None) -> bool:
    """Whether daemons of nodes usually listen there; on BGP's port only where BGP is spoken."""
    layer2 = (network.seen("cluster", ANNOUNCER) or "").endswith(("-l2", "-arp"))
    return port in _LISTENED and not (port == BGP_PORT and layer2)


def _named(fact: ProbeResult) -> str:
    return f"port {fact.port}" if fact.port else "the other ports"


def predict(world: World, question: Question) -> Distribution | None:
    """From the walk to a port without a service; the node's own daemons answer where its stack does."""
    flow = world.network.flow
    found = walk(world, flow.service, Packet(question.where, flow.address, 0))
    listened = question.about == ("listened",)
    host = {"open": 0.85, "closed": 0.12, "silent": 0.03} if listened else {"open": 0.1, "closed": 0.85, "silent": 0.05}
    if any(b.fate not in _TABLE and b.fate is not Fate.HOST for b in found.branches):
        return None
    seen = mixed((b.weight, host if b.fate is Fate.HOST else _TABLE[b.fate]) for b in found.branches)
    entries = [b.entry for b in found.branches if b.entry]
    guarded = any(on_node(world, n, HOST_FIREWALL) or on_node(world, n, INPUT_FIREWALL) for n in entries)
    # Firewalls of hosts admit ssh, and what their operators needed once; which ports is not known.
    return mixed([(0.5, seen), (0.5, host)]) if guarded else seen


def offers(network: Network) -> Iterable[Offer]:
    """Nothing that another probe does not tell better."""
    return ()


def means(world: World, question: Question) -> str:
    """Whose port it is."""
    flow = world.network.flow
    branch = max(walk(world, flow.service, Packet(question.where, flow.address, 0)).branches, key=lambda b: b.weight)
    if branch.fate is Fate.HOST:
        return f"a daemon of {branch.entry.removeprefix('node/')} itself, not the service"
    return branch.why
