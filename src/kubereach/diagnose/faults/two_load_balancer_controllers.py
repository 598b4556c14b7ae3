"""Two controllers write the status of the same service.

What happens   k3s ServiceLB beside MetalLB, a cloud provider beside kube-vip: each overwrites the other's address, and
               nobody announces an address that its own controller did not give.
How it looks   EXTERNAL-IP changes, or shows addresses of nodes and of the pool; events of two controllers
Confirm        `kubectl get svc -w`; which controllers run
Fix            disable one (k3s: --disable servicelb), or loadBalancerClass
Not to be confused with  address-owned-twice (one controller, an address that others own)
References     k3s ServiceLB; Kubernetes loadBalancerClass
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.decided import decided
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import ADDRESS_FLIPS, EARLIER_ADDRESSES, NOT_SELECTED, OVERWRITTEN, TELLS
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="two-load-balancer-controllers",
    class_="alloc-two-lb-controllers",
    layer="allocation",
    owner=Owner.CLUSTER,
    prior=Chance(0.002, "takes a second product that gives out addresses"),
    summary="two controllers write the status of the same service",
)
BOTH_THERE = Chance(0.1, "where the evidence shows two products that give out addresses")
BY_TURNS = Chance(0.2, "where the status changes: somebody may have edited the service, too")
BY_TURNS_AND_BOTH = Chance(0.5, "where the status changes and there are two such products")
# Products that give out addresses, by the words that show them. k3s brings ServiceLB unless it is told not to.
GIVERS = ({"metallb"}, {"klipper", "servicelb"}, {"kube-vip"}, {"openelb"}, {"openstack-ccm", "cloud-controller"})
TELL_TALES = ("ipNotAllowed", "clearAssignment", "ClearAssignment", "LoadBalancerFailed", "UpdatedLoadBalancer")


def suspects(world: World) -> Iterable[Suspect]:
    stack = world.network.stack
    several = sum(bool(words & stack) for words in GIVERS) > 1
    service = world.network.flow.service
    if world.network.seen(service, OVERWRITTEN):
        yield from decided(world, FAULT, (service, OVERWRITTEN))
    elif world.network.seen(service, EARLIER_ADDRESSES):
        says = "a watch shows the service with other addresses by turns"
        because = tuple((o, says) for o in world.network.origins(service, EARLIER_ADDRESSES)[:1])
        prior = BY_TURNS_AND_BOTH if several else BY_TURNS
        yield Suspect(fault=FAULT, subject=service, prior=prior, because=because)
    elif several:
        yield Suspect(fault=FAULT, subject=service, prior=BOTH_THERE)


def apply(world: World, suspect: Suspect) -> Changes:
    flips = world.network.seen(suspect.subject, EARLIER_ADDRESSES) is not None
    told = (*world.get("cluster", TELLS), *TELL_TALES)
    leaf = ADDRESS_FLIPS if flips else NOT_SELECTED
    return {leaf.of(suspect.subject): True, TELLS.of("cluster"): told}


def remove(world: World, suspect: Suspect) -> Changes:
    return {leaf.of(suspect.subject): False for leaf in (NOT_SELECTED, ADDRESS_FLIPS, OVERWRITTEN)}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="leave one controller: disable the other, or give each service a loadBalancerClass",
        commands=("kubectl get pods -A | grep -E 'svclb|metallb|kube-vip|cloud-controller'",),
    )
