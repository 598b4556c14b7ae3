"""The clients' packets are looked up in a table of their own, which lacks the routes that BGP brings.

A kernel without VRF devices keeps such a table by a rule (`ip rule`), as policy routing on a router does.
"""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import ROUTER, speaks_bgp
from kubereach.lab.scenario import Scenario

TABLE = "100"


def places(scenario: Scenario) -> tuple[str, ...]:
    return ROUTER if speaks_bgp(scenario) else ()


def enact(lab: Lab, subject: str) -> None:
    lines = []
    for segment, prefix in lab.scenario.segments.items():
        device = lab.interface("router", segment)
        lines += [f"ip route add {prefix} dev {device} table {TABLE}", f"ip rule add iif {device} lookup {TABLE}"]
    lab.script("router", "\n".join([*lines, f"ip route add blackhole default table {TABLE}"]))


def undo(lab: Lab, subject: str) -> None:
    lines = [f"ip rule del iif {lab.interface('router', segment)} lookup {TABLE}" for segment in lab.scenario.segments]
    lab.script("router", "\n".join([*lines, f"ip route flush table {TABLE}"]))
