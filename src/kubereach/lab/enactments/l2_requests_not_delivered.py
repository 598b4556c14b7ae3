"""The switch does not pass broadcasts on to the nodes, as access points and some bridges do not."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER, speaks_bgp
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import SWITCH, node_port


def places(scenario: Scenario) -> tuple[str, ...]:
    return () if speaks_bgp(scenario) else (CLUSTER,)


def enact(lab: Lab, subject: str) -> None:
    _flood(lab, "off")


def undo(lab: Lab, subject: str) -> None:
    _flood(lab, "on")


def _flood(lab: Lab, state: str) -> None:
    for node in lab.scenario.nodes:
        lab.run(SWITCH, "bridge", "link", "set", "dev", node_port(lab, node), "bcast_flood", state)
