"""The announcer works, and this service's address is not among what it announces.

What happens   Calico announces only addresses inside serviceLoadBalancerIPs or serviceExternalIPs; other announcers
               have selectors or options that leave the service out.
How it looks   other services are announced, this one is not; sessions are up
Confirm        the configured ranges and selectors against the address and the service's labels
Fix            add the range, or let the selector match
Not to be confused with  node-excluded (nothing is announced by that node)
References     Calico confd routes.go; Cilium BGP control plane serviceSelector
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import by_doubt
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect
from kubereach.model.address import contains
from kubereach.model.attribute import ANNOUNCER, LB_CIDRS, NOT_SELECTED, SELECTION_DOUBT, why
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="service-not-selected",
    class_="ann-service-not-selected",
    layer="announcement",
    owner=Owner.CLUSTER,
    prior=Chance(0.02, "ranges and selectors that leave the service out"),
    summary="the announcer leaves this service out",
)
TRIED = Chance(0.4, "where the same address is announced in another state of the service")


def suspects(world: World) -> Iterable[Suspect]:
    flow = world.network.flow
    ranges = world.network.seen("cluster", LB_CIDRS)
    where = world.network.origins("cluster", LB_CIDRS)
    if world.network.seen(flow.service, NOT_SELECTED):
        said = world.network.seen(flow.service, why(NOT_SELECTED)) or "the announcer leaves it out"
        told = tuple((o, said) for o in world.network.origins(flow.service, NOT_SELECTED)[:1])
        yield Suspect(fault=FAULT, subject=flow.service, presence=Presence.PRESENT, because=told)
    elif world.get("cluster", ANNOUNCER) != "calico-bgp" or ranges is None or not flow.address:
        yield by_doubt(world, FAULT, flow.service, ("cluster", SELECTION_DOUBT), TRIED)
    elif any(contains(r, flow.address) for r in ranges):
        because = tuple((o, f"{flow.address} lies in {', '.join(ranges)}") for o in where[:1])
        yield Suspect(fault=FAULT, subject=flow.service, presence=Presence.ABSENT, because=because)
    else:
        because = tuple((o, f"{flow.address} lies outside {', '.join(ranges) or 'every range'}") for o in where[:1])
        yield Suspect(fault=FAULT, subject=flow.service, presence=Presence.PRESENT, because=because)


def apply(world: World, suspect: Suspect) -> Changes:
    return {NOT_SELECTED.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    address = world.network.flow.address
    changes: dict[tuple[str, str], object] = {NOT_SELECTED.of(suspect.subject): False}
    ranges = world.get("cluster", LB_CIDRS)
    if address and not any(contains(r, address) for r in ranges):
        changes[LB_CIDRS.of("cluster")] = (*ranges, f"{address}/{128 if ':' in address else 32}")
    return changes


def repair(world: World, suspect: Suspect) -> Plan:
    if world.get("cluster", ANNOUNCER) == "calico-bgp":
        return Plan(
            summary="add the address's range to serviceLoadBalancerIPs",
            commands=("kubectl edit bgpconfiguration default   # spec.serviceLoadBalancerIPs",),
        )
    return Plan(
        summary="let the announcer's selector match the service",
        commands=(f"kubectl get service {suspect.name.rpartition('/')[2]} --show-labels",),
    )
