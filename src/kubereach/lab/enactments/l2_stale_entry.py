"""Who resolves the address on the nodes' segment keeps a neighbour entry of a node that does not hold it any more.

That is the router, or the client where it is on the segment itself.
"""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import ROUTER, passes_router, speaks_bgp
from kubereach.lab.scenario import Scenario

GONE = "02:00:00:00:00:fc"  # the hardware address of a node that was taken away


def places(scenario: Scenario) -> tuple[str, ...]:
    return ROUTER if not speaks_bgp(scenario) else ()


def concerns(scenario: Scenario, client: str) -> bool:
    """Every client behind the router shares its entry; one on the segment has its own."""
    asker = scenario.clients[client].segment
    return client == scenario.client or (asker != "lan" and scenario.clients[scenario.client].segment != "lan")


def enact(lab: Lab, subject: str) -> None:
    host, device = _asker(lab)
    words = ("lladdr", GONE, "dev", device, "nud", "permanent")
    lab.run(host, "ip", "neigh", "replace", lab.scenario.service.address, *words)


def undo(lab: Lab, subject: str) -> None:
    host, device = _asker(lab)
    lab.run(host, "ip", "neigh", "del", lab.scenario.service.address, "dev", device)


def _asker(lab: Lab) -> tuple[str, str]:
    if passes_router(lab.scenario):
        return "router", lab.interface("router", "lan")
    return lab.scenario.client, "eth0"
