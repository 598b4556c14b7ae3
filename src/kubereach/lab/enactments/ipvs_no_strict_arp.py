"""kube-proxy in IPVS mode runs without strictARP, so that every node's kernel answers for the address on kube-ipvs0."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER, speaks_bgp
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    loose = scenario.proxy.mode == "ipvs" and scenario.proxy.strict_arp
    return (CLUSTER,) if loose and not speaks_bgp(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    _strict(lab, on=False)


def undo(lab: Lab, subject: str) -> None:
    _strict(lab, on=True)


def _strict(lab: Lab, *, on: bool) -> None:
    lab.change(replace(lab.scenario, proxy=replace(lab.scenario.proxy, strict_arp=on)))
    system.sync(lab)
