"""The BGPFilter's first rule rejects the service's host route under policy Local, the pool's range otherwise."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from msgspec.structs import replace

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER
from kubereach.lab.scenario import BgpFilterRule, Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    return (CLUSTER,) if scenario.announcer.kind == "calico-bgp" else ()


def enact(lab: Lab, subject: str) -> None:
    announcer = lab.scenario.announcer
    local = lab.scenario.service.policy == "Local"
    kept = f"{lab.scenario.service.address}/32"
    rule = BgpFilterRule(action="Reject", operator="Equal", cidr=kept) if local else _whole(lab.scenario)
    lab.change(replace(lab.scenario, announcer=replace(announcer, export_filter=(rule, *announcer.export_filter))))
    system.sync(lab)


def undo(lab: Lab, subject: str) -> None:
    original = lab.state.original.announcer.export_filter
    lab.change(replace(lab.scenario, announcer=replace(lab.scenario.announcer, export_filter=original)))
    system.sync(lab)


def settled(lab: Lab, subject: str) -> bool:
    return bool(system.announcer(lab).settled(lab))


def _whole(scenario: Scenario) -> BgpFilterRule:
    address = IPv4Address(scenario.service.address)
    cidr = next(text for text in scenario.announcer.lb_cidrs if address in IPv4Network(text))
    return BgpFilterRule(action="Reject", operator="In", cidr=cidr)
