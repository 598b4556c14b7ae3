"""The address is a network or broadcast address, or one that devices refuse.

What happens   Pools give out the first and last address of a prefix too. In a subnet of that very prefix they mean
               the network and all hosts; some devices drop anything that ends in .0 or .255.
How it looks   this one address fails from everywhere outside, its neighbours in the pool work; `Do you want to ping
               broadcast?`
Confirm        the address against the segment's prefix
Fix            avoidBuggyIPs, or a range without it
Not to be confused with  pool-not-on-link (the whole pool fails)
References     MetalLB avoidBuggyIPs; Cilium allowFirstLastIPs; RFC 919
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.decided import decided
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import UNUSABLE_ADDRESS
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="unusable-address",
    class_="alloc-unusable-address",
    layer="allocation",
    owner=Owner.CLUSTER,
    prior=Chance(0.004, "most pools avoid first and last addresses, and most hosts do not mind them"),
    summary="the address is one that hosts or devices do not use: a network or broadcast address",
)
LOOKS_SO = Chance(
    0.15, "it ends in .0 or .255, which is one in most people's subnets and refused by some devices anyway"
)


def suspects(world: World) -> Iterable[Suspect]:
    flow = world.network.flow
    suspicious = flow.address.endswith((".0", ".255"))
    if not suspicious and world.network.seen(flow.service, UNUSABLE_ADDRESS) is None:
        return ()
    return decided(world, FAULT, (flow.service, UNUSABLE_ADDRESS), LOOKS_SO)


def apply(world: World, suspect: Suspect) -> Changes:
    return {UNUSABLE_ADDRESS.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {UNUSABLE_ADDRESS.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="leave the address out of the pool (avoidBuggyIPs, allowFirstLastIPs: No) and give the service another",
        commands=("kubectl get ipaddresspools,ciliumloadbalancerippools -A -o yaml",),
    )
