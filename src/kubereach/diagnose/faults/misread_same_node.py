"""A test from a cluster node or pod says nothing about the outside path.

What happens   The node's own rules catch the packet before it leaves, so it never takes the way of an outside client.
How it looks   a node's or pod's test fails or works, and outside it is the other way round
Confirm        the same test from outside the cluster
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
    code="misread-same-node",
    class_="misread-same-node-test",
    layer="misread",
    owner=Owner.CLIENT,
    prior=Chance(0.03, "tests from a node are common, and most people say what they are"),
    summary="a test from a cluster node or pod says nothing about the outside path",
    misread=True,
)


def suspects(world: World) -> Iterable[Suspect]:
    return (Suspect(fault=FAULT, subject="client"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {MISREAD.of("client"): "same-node"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {MISREAD.of("client"): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(summary="test the service's own port from where its clients are")
