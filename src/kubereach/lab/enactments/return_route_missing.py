"""The node's default route leads to a gateway that takes nothing on, so that clients of other segments get no answer.

Without any default route Calico's pods lose more than that: nobody answers ARP for their gateway 169.254.1.1.
"""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node, name
from kubereach.lab.scenario import Scenario

NOWHERE = "02:00:00:00:00:fb"


def places(scenario: Scenario) -> tuple[str, ...]:
    client = scenario.clients[scenario.client]
    return tuple(n for n in each_node(scenario) if scenario.nodes[name(n)].segment != client.segment)


def enact(lab: Lab, subject: str) -> None:
    gateway = str(lab.scenario.prefix(lab.scenario.nodes[name(subject)].segment)[249])
    lab.script(
        name(subject),
        f"ip neigh replace {gateway} lladdr {NOWHERE} dev eth0 nud permanent\n"
        f"ip route replace default via {gateway} dev eth0\n",
    )


def undo(lab: Lab, subject: str) -> None:
    gateway = lab.scenario.gateway(lab.scenario.nodes[name(subject)].segment)
    lab.run(name(subject), "ip", "route", "replace", "default", "via", gateway, "dev", "eth0")
