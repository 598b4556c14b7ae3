"""The nodes lose their routes to the others' blocks: under VXLAN Felix's, without encapsulation the mesh is off."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab, wait
from kubereach.lab.places import CLUSTER, remote_pods
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import tunnel_address


def places(scenario: Scenario) -> tuple[str, ...]:
    mesh_matters = scenario.announcer.kind == "calico-bgp" and scenario.announcer.mesh
    told = scenario.pod_network.encapsulation == "vxlan" or mesh_matters
    return (CLUSTER,) if remote_pods(scenario) and told else ()


def enact(lab: Lab, subject: str) -> None:
    if lab.scenario.pod_network.encapsulation == "vxlan":
        for node, other in _pairs(lab):
            lab.run(node, "ip", "route", "del", lab.scenario.nodes[other].block, check=False)
    else:
        _mesh(lab, on=False)
        wait(lambda: not any(_routed(lab, node, other) for node, other in _pairs(lab)), 15)


def undo(lab: Lab, subject: str) -> None:
    if lab.scenario.pod_network.encapsulation == "vxlan":
        for node, other in _pairs(lab):
            via = ("via", tunnel_address(lab.scenario, other), "dev", "vxlan.calico", "onlink", "proto", "80")
            lab.run(node, "ip", "route", "replace", lab.scenario.nodes[other].block, *via)
    else:
        _mesh(lab, on=True)
        wait(lambda: all(_routed(lab, node, other) for node, other in _pairs(lab)), 30)


def _pairs(lab: Lab) -> tuple[tuple[str, str], ...]:
    return tuple((node, other) for node in lab.scenario.nodes for other in lab.scenario.nodes if node != other)


def _routed(lab: Lab, node: str, other: str) -> bool:
    return lab.scenario.nodes[other].block in lab.run(node, "ip", "route").out


def _mesh(lab: Lab, *, on: bool) -> None:
    scenario = lab.scenario
    lab.change(replace(scenario, announcer=replace(scenario.announcer, mesh=on)))
    system.sync(lab)
