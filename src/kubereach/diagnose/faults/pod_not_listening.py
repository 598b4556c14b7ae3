"""The application listens on another address, or not at all.

What happens   The container listens on 127.0.0.1 only, or has not started its server.
How it looks   refused from everywhere, the node with the pod included
Confirm        `ss -tln` in the pod
Fix            listen on all addresses
Not to be confused with  port-mismatch (it listens on another port), no-ready-endpoints
References     Kubernetes containers and ports
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import by_leaf
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import NOT_LISTENING
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="pod-not-listening",
    class_="pod-not-listening",
    layer="pod",
    owner=Owner.APPLICATION,
    prior=Chance(0.018, "servers on 127.0.0.1 and slow starts are common, and most show in readiness first"),
    summary="nothing listens on the target port in the pod",
)


def suspects(world: World) -> Iterable[Suspect]:
    return by_leaf(FAULT, world, (world.network.flow.service,), NOT_LISTENING, "the application listens on loopback")


def apply(world: World, suspect: Suspect) -> Changes:
    return {NOT_LISTENING.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {NOT_LISTENING.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="make the application listen on the target port on all addresses",
        commands=("kubectl exec POD -- ss -tln",),
    )
