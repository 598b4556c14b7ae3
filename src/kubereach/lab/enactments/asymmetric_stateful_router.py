"""The router drops what its table calls invalid, while the nodes answer clients of their own segment directly."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import ROUTER, speaks_bgp
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    client = scenario.clients[scenario.client]
    beside = any(node.segment == client.segment for node in scenario.nodes.values())
    return ROUTER if speaks_bgp(scenario) and beside and not scenario.router.stateful else ()


def enact(lab: Lab, subject: str) -> None:
    _stateful(lab, on=True)


def undo(lab: Lab, subject: str) -> None:
    _stateful(lab, on=False)


def _stateful(lab: Lab, *, on: bool) -> None:
    lab.change(replace(lab.scenario, router=replace(lab.scenario.router, stateful=on)))
    system.sync(lab)
