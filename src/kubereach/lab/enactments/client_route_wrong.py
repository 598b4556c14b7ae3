"""The client's route for the address leads to another host of its segment, as a VPN or an old static route does."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.scenario import Scenario

NOWHERE = "02:00:00:00:00:fd"  # a hardware address that no host has: the route's next hop takes nothing on


def places(scenario: Scenario) -> tuple[str, ...]:
    return ("client",)


def enact(lab: Lab, subject: str) -> None:
    client = lab.scenario.client
    gateway = str(lab.scenario.prefix(lab.scenario.clients[client].segment)[250])
    lab.script(
        client,
        f"ip neigh replace {gateway} lladdr {NOWHERE} dev eth0 nud permanent\n"
        f"ip route add {lab.scenario.service.address}/32 via {gateway} dev eth0\n",
    )


def undo(lab: Lab, subject: str) -> None:
    lab.run(lab.scenario.client, "ip", "route", "del", f"{lab.scenario.service.address}/32")
