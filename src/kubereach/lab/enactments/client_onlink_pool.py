"""The client's mask takes in the pool's addresses, so that it asks its segment for them; the nodes speak BGP only."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import speaks_bgp
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return ("client",) if speaks_bgp(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    lab.run(lab.scenario.client, "ip", "route", "add", f"{lab.scenario.service.address}/32", "dev", "eth0")


def undo(lab: Lab, subject: str) -> None:
    lab.run(lab.scenario.client, "ip", "route", "del", f"{lab.scenario.service.address}/32", "dev", "eth0")
