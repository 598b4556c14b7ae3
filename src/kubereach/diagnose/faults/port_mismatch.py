"""The target port is not what the container listens on.

What happens   The service sends to a port on which nothing listens, or names a port that no container declares, so that
               the endpoint has none.
How it looks   refused from everywhere, the node with the pod included; the pod's own port answers
Confirm        targetPort against `ss -tln` in the pod
Fix            set targetPort to the container's port
Not to be confused with  pod-not-listening (the port is right)
References     Kubernetes Service: targetPort; containerPort is information only
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import by_leaf, exposed, seen_of
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import TARGET_PORT_UNDECLARED, WRONG_TARGET_PORT
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="port-mismatch",
    class_="pod-port-mismatch",
    layer="pod",
    owner=Owner.APPLICATION,
    prior=Chance(0.012, "a slip in one number, which a test from inside shows at once"),
    summary="the service's target port is not the one the container listens on",
)


ODDS: dict[object, Chance] = {
    True: Chance(0.35, "where no container declares the target port"),
    False: Chance(0.003, "where one does"),
}


def suspects(world: World) -> Iterable[Suspect]:
    service = (world.network.flow.service,)
    if seen_of(world, service[0], WRONG_TARGET_PORT) is not None:
        return by_leaf(FAULT, world, service, WRONG_TARGET_PORT, "no container declares the target port's name")
    says = "targetPort against the containers' declared ports"
    return exposed(FAULT, world, service, TARGET_PORT_UNDECLARED, ODDS, says)


def apply(world: World, suspect: Suspect) -> Changes:
    return {WRONG_TARGET_PORT.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {WRONG_TARGET_PORT.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    namespace, _, name = suspect.name.partition("/")
    return Plan(
        summary="set the service's targetPort to the port the container listens on",
        commands=(f"kubectl -n {namespace} edit service {name}",),
    )
