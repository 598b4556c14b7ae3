"""No ready endpoint: pods exist and are not ready, or there is none.

What happens   The service has nothing to send to. kube-proxy refuses the connection, and announcers withdraw.
How it looks   refused at once from everywhere, or no announcement at all
Confirm        `kubectl get endpointslices` and the pods' readiness
Fix            get the pods ready
Not to be confused with  selector-mismatch (pods are ready and not selected)
References     kubernetes pkg/proxy topology.go; MetalLB noEndpoints
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
    code="no-ready-endpoints",
    class_="pod-no-ready-endpoints",
    layer="pod",
    owner=Owner.APPLICATION,
    prior=Chance(0.03, "the service's own pods are a common trouble, and the first thing that most people look at"),
    summary="the service has no ready endpoint",
)


def suspects(world: World) -> Iterable[Suspect]:
    service = world.network.flow.service
    where = world.network.origins(service, ENDPOINTS)
    if world.network.seen(service, ENDPOINTS) is None:
        return (Suspect(fault=FAULT, subject=service),)
    ready = ready_endpoints(world, service)
    if not ready and world.get(service, WHY_EMPTY) == "selector":
        return ()  # the pods may well be ready: the service does not select them
    presence = Presence.ABSENT if ready else Presence.PRESENT
    says = f"{len(ready)} ready endpoint" + ("" if len(ready) == 1 else "s")
    return (Suspect(fault=FAULT, subject=service, presence=presence, because=tuple((o, says) for o in where[:2])),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {ENDPOINTS.of(suspect.subject): (), WHY_EMPTY.of(suspect.subject): "not-ready"}


def remove(world: World, suspect: Suspect) -> Changes:
    endpoints = world.get(suspect.subject, ENDPOINTS)
    mended = tuple(Endpoint(e.address, e.node, ready=True, port=e.port, pod=e.pod) for e in endpoints)
    return {ENDPOINTS.of(suspect.subject): mended or (Endpoint("", world.network.nodes[0]),)}


def repair(world: World, suspect: Suspect) -> Plan:
    namespace = suspect.name.partition("/")[0]
    return Plan(summary="get the service's pods ready", commands=(f"kubectl -n {namespace} get pods -o wide",))
