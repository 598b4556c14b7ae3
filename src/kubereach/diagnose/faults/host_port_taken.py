"""The port that the implementation must open on the nodes is already taken.

What happens   k3s ServiceLB runs a pod per node with the service's port as host port. Where another pod (often an
               ingress controller) or a host process holds it, that pod is not scheduled and the node not listed.
How it looks   svclb pods pending, `didn't have free ports for the requested pod ports`; EXTERNAL-IP pending or short
Confirm        `kubectl -n kube-system get pods -o wide | grep svclb`, and who holds the port
Fix            another port, or free it; or another load balancer
Not to be confused with  pool-exhausted (addresses, not ports)
References     k3s ServiceLB; klipper-lb
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.allocation import put_in, refused_for, taken_out
from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import ANNOUNCER
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="host-port-taken",
    class_="alloc-host-port-taken",
    layer="allocation",
    owner=Owner.CLUSTER,
    prior=Chance(0.002, "asked only about services without an address; takes an implementation with host ports"),
    summary="the port that the load balancer needs on the nodes is taken",
)
SERVICE_LB = Chance(0.1, "where each service needs its port on every node")


def suspects(world: World) -> Iterable[Suspect]:
    needs = world.get("cluster", ANNOUNCER) == "klipper" or "klipper" in world.network.stack
    return refused_for(world, FAULT, "host-port", SERVICE_LB if needs else None)


def apply(world: World, suspect: Suspect) -> Changes:
    return put_in(world, suspect, "host-port")


def remove(world: World, suspect: Suspect) -> Changes:
    return taken_out(suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="free the port on the nodes, or give the service another one",
        commands=("kubectl -n kube-system get pods -o wide | grep svclb",),
    )
