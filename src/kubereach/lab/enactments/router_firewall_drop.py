"""The router drops new connections to the service's address."""

from __future__ import annotations

from kubereach.lab import filters
from kubereach.lab.lab import Lab
from kubereach.lab.places import ROUTER, passes_router
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return ROUTER if passes_router(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    filters.put(lab, "router", "FORWARD", *_rule(lab))


def undo(lab: Lab, subject: str) -> None:
    filters.take(lab, "router", "FORWARD", *_rule(lab))


def _rule(lab: Lab) -> tuple[str, ...]:
    return ("-d", lab.scenario.service.address, "-p", "tcp", "-j", "DROP")
