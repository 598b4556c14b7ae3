"""The requested address, pool, family or sharing cannot be granted.

What happens   The address lies outside all pools or belongs to another service; sharing needs the same key as an
               annotation (a label does nothing), different ports, and the same pods under policy Local.
How it looks   EXTERNAL-IP stays <pending>; `is not allowed in config`, `can't change sharing key`, `already in use`
Confirm        spec.loadBalancerIP and the annotations of all services that name the address
Fix            ask for a free address of a pool, or make the services shareable
Not to be confused with  pool-exhausted (no address at all is left)
References     MetalLB controller/service.go; Cilium LB IPAM sharing keys
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.allocation import put_in, refused_for, taken_out
from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="address-request-refused",
    class_="alloc-request-refused",
    layer="allocation",
    owner=Owner.CLUSTER,
    prior=Chance(
        0.03, "asked only about services without an address: there a wrong request is as common as a full pool"
    ),
    summary="what the service asks for cannot be granted",
)


def suspects(world: World) -> Iterable[Suspect]:
    return refused_for(world, FAULT, "refused")


def apply(world: World, suspect: Suspect) -> Changes:
    return put_in(world, suspect, "refused")


def remove(world: World, suspect: Suspect) -> Changes:
    return taken_out(suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="ask for a free address of a pool; put the same sharing key into the annotations of both services",
        commands=(f"kubectl describe service {suspect.name.rpartition('/')[2]}",),
    )
