"""Rules of the legacy backend, which nobody looks at, drop what the nftables backend's forward."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node, name
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return each_node(scenario) if scenario.proxy.mode != "ipvs" else ()


def enact(lab: Lab, subject: str) -> None:
    lab.run(name(subject), "iptables-legacy", "-w", "-P", "FORWARD", "DROP")


def undo(lab: Lab, subject: str) -> None:
    lab.run(name(subject), "iptables-legacy", "-w", "-P", "FORWARD", "ACCEPT")
