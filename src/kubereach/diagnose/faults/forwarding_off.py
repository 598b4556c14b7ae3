"""The kernel does not forward.

What happens   net.ipv4.ip_forward or an interface's forwarding is off, so translated packets to a pod are dropped
               in silence.
How it looks   tests on the node itself work; nothing forwarded leaves it
Confirm        `sysctl net.ipv4.ip_forward net.ipv4.conf.all.forwarding`
Fix            set it to 1, persistently
Not to be confused with  forward-drop (a rule counts)
References     Linux ip-sysctl
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes, on_nodes
from kubereach.model.attribute import FORWARDING_OFF
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="forwarding-off",
    class_="ingress-ip-forward-off",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=0.006,
    summary="{name} does not forward packets",
)


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes(FAULT, entry_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {FORWARDING_OFF.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {FORWARDING_OFF.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"switch forwarding on at {suspect.name}",
        commands=("sysctl -w net.ipv4.ip_forward=1",),
    )
