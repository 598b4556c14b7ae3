"""The entry nodes lose their masquerading, so that remote pods answer the client themselves."""

from __future__ import annotations

from kubereach.lab import filters
from kubereach.lab.lab import Lab
from kubereach.lab.places import remote_pods, target
from kubereach.lab.scenario import Scenario

RULE = ("-o", "+", "-m", "conntrack", "--ctstate", "DNAT", "-j", "ACCEPT")


def places(scenario: Scenario) -> tuple[str, ...]:
    return target(scenario) if remote_pods(scenario) and scenario.proxy.mode == "iptables" else ()


def enact(lab: Lab, subject: str) -> None:
    """Another program's ACCEPT in front of KUBE-POSTROUTING ends the chain before the masquerade."""
    for node in lab.scenario.nodes:
        filters.put(lab, node, "POSTROUTING", *RULE, table="nat")


def undo(lab: Lab, subject: str) -> None:
    for node in lab.scenario.nodes:
        filters.take(lab, node, "POSTROUTING", *RULE, table="nat")
