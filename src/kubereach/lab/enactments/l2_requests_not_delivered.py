"""The switch does not pass broadcasts on to the nodes, as access points and some bridges do not."""

from __future__ import annotations

import time

from kubereach.lab import segment
from kubereach.lab.arp_responder import REPEATED_FOR
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import SWITCH, node_port


def places(scenario: Scenario) -> tuple[str, ...]:
    """Not where the holder says again and again that it is there (keepalived, kube-vip): that is enough for many."""
    return (CLUSTER,) if scenario.announcer.kind == "metallb-l2" else ()


def enact(lab: Lab, subject: str) -> None:
    time.sleep(REPEATED_FOR)  # what a new holder says unasked would be enough for a while
    _flood(lab, "off")


def undo(lab: Lab, subject: str) -> None:
    _flood(lab, "on")


def settled(lab: Lab, subject: str) -> bool:
    return not segment.answers(lab, lab.scenario.service.address)


def _flood(lab: Lab, state: str) -> None:
    for node in lab.scenario.nodes:
        lab.run(SWITCH, "bridge", "link", "set", "dev", node_port(lab, node), "bcast_flood", state)
    segment.forget(lab, lab.scenario.service.address)
