"""Ping, traceroute or an unused port says nothing about the service.

What happens   No kernel owns the address, or a filter rejects all but service ports, so that ICMP and other ports
               fail while the service works.
How it looks   the service itself answers; only ping or another port fails
Confirm        connect to the service's own port
Fix            nothing is broken: test the service itself, from where its clients are
Not to be confused with  any fault that makes the service itself fail
References     MetalLB usage notes; kubernetes pkg/proxy
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import MISREAD
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="misread-icmp",
    class_="misread-icmp-to-vip",
    layer="misread",
    owner=Owner.CLIENT,
    prior=Chance(0.03, "ping is most people's first test, and many proxies do not answer it"),
    summary="ping, traceroute or an unused port was taken for a test of the service",
    misread=True,
)


def suspects(world: World) -> Iterable[Suspect]:
    return (Suspect(fault=FAULT, subject="client"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {MISREAD.of("client"): "icmp"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {MISREAD.of("client"): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(summary="test the service's own port from where its clients are")
