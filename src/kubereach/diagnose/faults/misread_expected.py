"""The output looks wrong and is by design.

What happens   Routes from every node under policy Cluster, one best path, an address on a dummy device: all as meant.
How it looks   nothing fails; something looks odd
Confirm        what the documentation says of it
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
    code="misread-expected",
    class_="misread-expected-behaviour",
    layer="misread",
    owner=Owner.CLIENT,
    prior=Chance(0.03, "people ask about output that is as it should be"),
    summary="the output looks wrong and is by design",
    misread=True,
)


def suspects(world: World) -> Iterable[Suspect]:
    return (Suspect(fault=FAULT, subject="client"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {MISREAD.of("client"): "expected"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {MISREAD.of("client"): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(summary="test the service's own port from where its clients are")
