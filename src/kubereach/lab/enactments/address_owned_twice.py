"""Another host of the nodes' segment has the service's address as well."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import speaks_bgp, target
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return target(scenario) if not speaks_bgp(scenario) and _other(scenario) else ()


def concerns(scenario: Scenario, client: str) -> bool:
    """The other owner itself asks nobody."""
    return client != _other(scenario)


def enact(lab: Lab, subject: str) -> None:
    lab.run(_other(lab.scenario), "ip", "address", "add", f"{lab.scenario.service.address}/32", "dev", "eth0")


def undo(lab: Lab, subject: str) -> None:
    lab.run(_other(lab.scenario), "ip", "address", "del", f"{lab.scenario.service.address}/32", "dev", "eth0")


def _other(scenario: Scenario) -> str:
    """A client of the nodes' segment that is not the one who asks."""
    found = (n for n, c in scenario.clients.items() if c.segment == "lan" and n != scenario.client)
    return next(found, "")
