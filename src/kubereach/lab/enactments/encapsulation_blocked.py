"""Every node drops VXLAN (UDP 4789) and IPIP from the others, as a firewall or security group between them does."""

from __future__ import annotations

from kubereach.lab import filters
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER, remote_pods
from kubereach.lab.scenario import Scenario

RULES = (("-p", "udp", "--dport", "4789", "-j", "DROP"), ("-p", "4", "-j", "DROP"))


def places(scenario: Scenario) -> tuple[str, ...]:
    return (CLUSTER,) if scenario.pod_network.encapsulation != "none" and remote_pods(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    for node in lab.scenario.nodes:
        for rule in RULES:
            filters.put(lab, node, "INPUT", *rule)


def undo(lab: Lab, subject: str) -> None:
    for node in lab.scenario.nodes:
        for rule in RULES:
            filters.take(lab, node, "INPUT", *rule)
