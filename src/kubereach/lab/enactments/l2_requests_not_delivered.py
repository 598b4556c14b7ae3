"""The switch passes no request for the address on to the nodes, as access points and bridges that answer themselves."""

from __future__ import annotations

import time

from kubereach.lab import segment, switch_rules
from kubereach.lab.arp_responder import REPEATED_FOR
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import node_port


def places(scenario: Scenario) -> tuple[str, ...]:
    """Not where the holder says again and again that it is there (keepalived, kube-vip): that is enough for many."""
    return (CLUSTER,) if scenario.announcer.kind == "metallb-l2" else ()


def enact(lab: Lab, subject: str) -> None:
    time.sleep(REPEATED_FOR)  # what a new holder says unasked would be enough for a while
    ports = ", ".join(node_port(lab, node) for node in lab.scenario.nodes)
    address = lab.scenario.service.address
    switch_rules.put(lab, "deaf", f"oifname {{ {ports} }} arp operation request arp daddr ip {address}")
    segment.forget(lab, address)


def undo(lab: Lab, subject: str) -> None:
    switch_rules.take(lab, "deaf")
    segment.forget(lab, lab.scenario.service.address)


def settled(lab: Lab, subject: str) -> bool:
    return not segment.answers(lab, lab.scenario.service.address)
