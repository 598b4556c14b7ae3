"""The service's selector matches no pod, or the wrong ones.

What happens   The pods run and are ready, and none bears the labels that the service asks for, so the endpoints stay
               empty: kube-proxy refuses the connection and announcers withdraw.
How it looks   endpoints `<none>` although the pods are 1/1 Running
Confirm        `kubectl get endpointslices`; the selector against `kubectl get pods --show-labels`
Fix            give selector and pods the same labels
Not to be confused with  no-ready-endpoints (the pods match and are not ready)
References     Kubernetes Service: selector
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect
from kubereach.model.attribute import ENDPOINTS, WHY_EMPTY, Endpoint
from kubereach.model.diagnosis import Owner
from kubereach.simulate.announced import ready_endpoints
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="selector-mismatch",
    class_="pod-selector-mismatch",
    layer="pod",
    owner=Owner.APPLICATION,
    prior=Chance(0.012, "a slip in a label that an empty list of endpoints shows at once"),
    summary="the service's selector matches none of its pods",
)


def suspects(world: World) -> Iterable[Suspect]:
    service = world.network.flow.service
    if world.network.seen(service, ENDPOINTS) is None:
        return (Suspect(fault=FAULT, subject=service),)
    where = (*world.network.origins(service, WHY_EMPTY), *world.network.origins(service, ENDPOINTS))
    if ready_endpoints(world, service):
        because = tuple((o, "the service has endpoints") for o in where[:1])
        return (Suspect(fault=FAULT, subject=service, presence=Presence.ABSENT, because=because),)
    if world.get(service, WHY_EMPTY) != "selector":
        return ()
    shown = world.network.seen(service, WHY_EMPTY) == "selector"
    says = "pods are there, and the selector matches none" if shown else "the endpoints are empty"
    because = tuple((o, says) for o in where[:2])
    return (Suspect(fault=FAULT, subject=service, presence=Presence.PRESENT, because=because),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {ENDPOINTS.of(suspect.subject): (), WHY_EMPTY.of(suspect.subject): "selector"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {ENDPOINTS.of(suspect.subject): (Endpoint("", world.network.nodes[0]),)}


def repair(world: World, suspect: Suspect) -> Plan:
    namespace, _, name = suspect.name.partition("/")
    return Plan(
        summary="give the service's selector and the pods the same labels",
        commands=(
            f"kubectl -n {namespace} get service {name} -o jsonpath='{{.spec.selector}}'",
            f"kubectl -n {namespace} get pods --show-labels",
        ),
    )
