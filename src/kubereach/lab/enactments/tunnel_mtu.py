"""The link between the nodes carries less than a full-size packet in its tunnel, and nobody says so."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER, remote_pods
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import SWITCH, node_port

CARRIED = 1460  # bytes: a pod's own packets of 1450 pass, and 1500 with the VXLAN header do not


def places(scenario: Scenario) -> tuple[str, ...]:
    return (CLUSTER,) if scenario.pod_network.encapsulation == "vxlan" and remote_pods(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    _carry(lab, CARRIED)


def undo(lab: Lab, subject: str) -> None:
    _carry(lab, 1500)


def _carry(lab: Lab, size: int) -> None:
    """A switch drops a frame that is longer than the port that it arrives at takes, in silence."""
    for node in lab.scenario.nodes:
        lab.run(SWITCH, "ip", "link", "set", node_port(lab, node), "mtu", str(size))
