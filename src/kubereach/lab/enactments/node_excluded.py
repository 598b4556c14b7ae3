"""The node bears the label that excludes it from external load balancers, with the value `true`."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.elected import EXCLUDED
from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node, name
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    """Not where kube-vip announces, which does not look at the label."""
    return () if scenario.announcer.kind == "kube-vip-arp" else each_node(scenario)


def enact(lab: Lab, subject: str) -> None:
    labels = {**lab.scenario.nodes[name(subject)].labels, EXCLUDED: "true"}
    _label(lab, name(subject), labels)


def undo(lab: Lab, subject: str) -> None:
    _label(lab, name(subject), dict(lab.state.original.nodes[name(subject)].labels))


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))


def _label(lab: Lab, node: str, labels: dict[str, str]) -> None:
    changed = replace(lab.scenario.nodes[node], labels=labels)
    lab.change(replace(lab.scenario, nodes={**lab.scenario.nodes, node: changed}))
    system.sync(lab)
