"""The node has no route to the clients of other segments: its default route is gone."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node, name
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    client = scenario.clients[scenario.client]
    return tuple(n for n in each_node(scenario) if scenario.nodes[name(n)].segment != client.segment)


def enact(lab: Lab, subject: str) -> None:
    lab.run(name(subject), "ip", "route", "del", "default")


def undo(lab: Lab, subject: str) -> None:
    gateway = lab.scenario.gateway(lab.scenario.nodes[name(subject)].segment)
    lab.run(name(subject), "ip", "route", "add", "default", "via", gateway, "dev", "eth0")
