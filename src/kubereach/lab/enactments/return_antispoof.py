"""The switch drops what leaves the node's port with the service's address as source: source guard."""

from __future__ import annotations

from kubereach.lab import switch_rules
from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node, name
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import node_port


def places(scenario: Scenario) -> tuple[str, ...]:
    return each_node(scenario)


def enact(lab: Lab, subject: str) -> None:
    port = node_port(lab, name(subject))
    switch_rules.put(lab, "sourceguard", f"iifname {port} ip saddr {lab.scenario.service.address}")


def undo(lab: Lab, subject: str) -> None:
    switch_rules.take(lab, "sourceguard")
