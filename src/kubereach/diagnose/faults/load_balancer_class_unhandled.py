"""No installed controller takes the service's loadBalancerClass, or none is installed.

What happens   A controller ignores classes that are not its own, without any event; one that was told to take one class
               ignores services without it. A cluster on own hardware has no controller until one is installed.
How it looks   EXTERNAL-IP stays <pending>, no event, and other services are served
Confirm        spec.loadBalancerClass against the controller's option (MetalLB --lb-class)
Fix            the controller's class, or none
Not to be confused with  allocating-controller-down (all services wait)
References     Kubernetes loadBalancerClass; MetalLB --lb-class; Cilium io.cilium/l2-announcer
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.allocation import put_in, refused_for, taken_out
from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

ALLOCATORS = frozenset({"metallb", "cilium", "kube-vip", "klipper", "servicelb", "k3s", "openelb", "openstack"})
# A pending service of a cluster in which nothing shows a controller: nobody may have installed one.
NOTHING_INSTALLED = Chance(0.08, "where the evidence shows no product that gives out addresses")

FAULT = Fault(
    code="load-balancer-class-unhandled",
    class_="alloc-class-not-handled",
    layer="allocation",
    owner=Owner.CLUSTER,
    prior=Chance(0.02, "asked only about services without an address; few set a class"),
    summary="no installed controller takes care of the service's load balancer class",
)


def suspects(world: World) -> Iterable[Suspect]:
    if world.network.stack & ALLOCATORS:
        return refused_for(world, FAULT, "class")
    return refused_for(world, FAULT, "class", NOTHING_INSTALLED)


def apply(world: World, suspect: Suspect) -> Changes:
    return put_in(world, suspect, "class")


def remove(world: World, suspect: Suspect) -> Changes:
    return taken_out(suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="recreate the service with a class that the installed controller takes, or with none",
        commands=(f"kubectl get service {suspect.name.rpartition('/')[2]} -o jsonpath='{{.spec.loadBalancerClass}}'",),
    )
