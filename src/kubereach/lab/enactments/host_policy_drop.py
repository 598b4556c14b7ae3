"""A host endpoint without a policy that admits anything: new connections are dropped before translation.

The rule stands where Calico's preDNAT policies do (mangle PREROUTING) and spares the failsafe ports 22 and 179
(Calico FelixConfiguration failsafeInboundHostPorts).
"""

from __future__ import annotations

from kubereach.lab import filters
from kubereach.lab.lab import Lab
from kubereach.lab.node_firewall import ADMITTED, NEW
from kubereach.lab.places import each_node, name
from kubereach.lab.scenario import Scenario

RULE = (*NEW, *ADMITTED, "-j", "DROP")


def places(scenario: Scenario) -> tuple[str, ...]:
    return each_node(scenario) if scenario.announcer.kind == "calico-bgp" else ()


def enact(lab: Lab, subject: str) -> None:
    filters.put(lab, name(subject), "PREROUTING", *RULE, table="mangle")


def undo(lab: Lab, subject: str) -> None:
    filters.take(lab, name(subject), "PREROUTING", *RULE, table="mangle")
