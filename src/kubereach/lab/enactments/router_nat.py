"""A destination NAT of the router, meant for something else, sends the service's connections to a host that is gone."""

from __future__ import annotations

from kubereach.lab import filters
from kubereach.lab.lab import Lab
from kubereach.lab.places import ROUTER, passes_router
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return ROUTER if passes_router(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    filters.put(lab, "router", "PREROUTING", *_rule(lab), table="nat")


def undo(lab: Lab, subject: str) -> None:
    filters.take(lab, "router", "PREROUTING", *_rule(lab), table="nat")


def _rule(lab: Lab) -> tuple[str, ...]:
    service = lab.scenario.service
    gone = str(lab.scenario.prefix("lan")[251])
    return ("-d", service.address, "-p", "tcp", "--dport", str(service.port), "-j", "DNAT", "--to-destination", gone)
