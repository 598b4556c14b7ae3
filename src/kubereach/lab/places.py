"""Where faults can be put, as subjects of the catalogue."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import address_of

CLUSTER = "cluster"
ROUTER = ("router",)


def each_node(scenario: Scenario) -> tuple[str, ...]:
    """Every node."""
    return tuple(f"node/{name}" for name in scenario.nodes)


def target(scenario: Scenario) -> tuple[str, ...]:
    """The target service."""
    return (f"service/{scenario.service.namespace}/{scenario.target}",)


def name(subject: str) -> str:
    """The host's or object's own name."""
    return subject.rpartition("/")[2]


def speaks_bgp(scenario: Scenario) -> bool:
    """Whether the addresses are announced over BGP."""
    return scenario.announcer.kind.endswith("-bgp")


def passes_router(scenario: Scenario) -> bool:
    """Whether the client's packets pass the router on their way to a node."""
    return speaks_bgp(scenario) or scenario.clients[scenario.client].segment != "lan"


def remote_pods(scenario: Scenario) -> bool:
    """Whether some node has to reach a pod of another one for the target: policy Cluster and more than one node."""
    return scenario.service.policy == "Cluster" and len(scenario.nodes) > 1


def clients(lab: Lab) -> tuple[str, ...]:
    """The addresses of all clients."""
    return tuple(address_of(lab.scenario, client) for client in lab.scenario.clients)
