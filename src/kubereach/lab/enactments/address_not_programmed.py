"""The node's kube-proxy lags: it has no rule for the service's external address yet, and all others."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name

__all__ = ["enact", "places", "undo"]
UNUSED = "192.0.2.254"  # an address that nobody asks for


def enact(lab: Lab, subject: str) -> None:
    """Written as kube-proxy would write it for a service with another address, and left so."""
    node, now = name(subject), lab.scenario
    services = {**now.services, now.target: replace(now.service, address=UNUSED)}
    lab.change(replace(now, services=services))
    system.proxy(lab).sync(lab, node)
    lab.change(now)
    lab.set_knobs({f"stopped/kube-proxy/{node}": "lags"})


def undo(lab: Lab, subject: str) -> None:
    lab.set_knobs({f"stopped/kube-proxy/{name(subject)}": None})
    system.proxy(lab).sync(lab, name(subject))
