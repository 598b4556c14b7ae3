"""The router has no neighbour at all: nobody tells it of the services' addresses."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER, ROUTER, speaks_bgp
from kubereach.lab.scenario import Scenario
from kubereach.lab.session_faults import set_router
from kubereach.lab.session_faults import settled as sessions_settled


def places(scenario: Scenario) -> tuple[str, ...]:
    return ROUTER if speaks_bgp(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    set_router(lab, CLUSTER, "absent", "1")


def undo(lab: Lab, subject: str) -> None:
    set_router(lab, CLUSTER, "absent", None)


def settled(lab: Lab, subject: str) -> bool:
    return sessions_settled(lab, CLUSTER)
