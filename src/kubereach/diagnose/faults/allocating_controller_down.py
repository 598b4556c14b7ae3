"""The allocating controller does not run, or cannot write the status.

What happens   Without its controller (MetalLB's controller, cilium-operator, a cloud provider) no service gets an
               address; missing rights or a webhook that does not answer have the same effect.
How it looks   EXTERNAL-IP stays <pending> for every new service; old ones keep theirs
Confirm        the controller's pod and log
Fix            bring it up
Not to be confused with  load-balancer-class-unhandled (it runs and ignores this service)
References     MetalLB controller; Cilium operator
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.allocation import put_in, refused_for, taken_out
from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="allocating-controller-down",
    class_="alloc-controller-down",
    layer="allocation",
    owner=Owner.CLUSTER,
    prior=Chance(
        0.03, "asked only about services without an address; a crashed controller is one of few reasons for that"
    ),
    summary="the controller that gives addresses does not run or cannot write them",
)


def suspects(world: World) -> Iterable[Suspect]:
    return refused_for(world, FAULT, "controller")


def apply(world: World, suspect: Suspect) -> Changes:
    return put_in(world, suspect, "controller")


def remove(world: World, suspect: Suspect) -> Changes:
    return taken_out(suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="bring the controller up and look at its log",
        commands=("kubectl -n metallb-system get pods -l component=controller",),
    )
