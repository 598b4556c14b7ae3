"""The switch drops every node's ARP answers for the service's address: port security that knows one address a port."""

from __future__ import annotations

from kubereach.lab import switch_rules
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER, speaks_bgp
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import node_port


def places(scenario: Scenario) -> tuple[str, ...]:
    plain = speaks_bgp(scenario)
    return () if plain else (CLUSTER,)


def enact(lab: Lab, subject: str) -> None:
    ports = ", ".join(node_port(lab, node) for node in lab.scenario.nodes)
    switch_rules.put(lab, "portsecurity", f"iifname {{ {ports} }} arp saddr ip {lab.scenario.service.address}")


def undo(lab: Lab, subject: str) -> None:
    switch_rules.take(lab, "portsecurity")
