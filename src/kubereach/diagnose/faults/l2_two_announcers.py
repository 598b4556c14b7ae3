"""Two or more nodes answer for the address.

What happens   Split memberlist, two clusters with one pool, a virtual-router ID used twice, or a stale address leave
               more than one owner on the segment.
How it looks   arping shows several MACs; connections fail now and then
Confirm        `arping -c 4 ADDRESS`, and whose MACs they are
Fix            restore the speakers' memberlist (TCP and UDP 7946), separate the pools or IDs
Not to be confused with  ipvs-no-strict-arp (every node of an IPVS cluster)
References     MetalLB memberlist; RFC 9568
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_layer2
from kubereach.model.attribute import EXTRA_RESPONDER, SPLIT_MEMBERS
from kubereach.model.diagnosis import Owner
from kubereach.simulate.announced import announced
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="l2-two-announcers",
    class_="ann-l2-multiple-responders",
    layer="announcement-l2",
    owner=Owner.CLUSTER,
    prior=Chance(
        0.02, "elections keep it to one; takes a split or a second owner; 4 of 77 collected reports for its class"
    ),
    summary="more than one node answers for the address",
)
DEAF = Chance(0.4, "where the announcers are seen not to hear each other")


def suspects(world: World) -> Iterable[Suspect]:
    flow = world.network.flow
    if not speaks_layer2(world):
        return ()
    leaders = announced(world, flow.service, flow.address).layer2
    others = [n for n in world.network.nodes if n not in leaders]
    split = DEAF if world.network.seen("cluster", SPLIT_MEMBERS) else None
    return (Suspect(fault=FAULT, subject=others[0], prior=split),) if others else ()


def apply(world: World, suspect: Suspect) -> Changes:
    return {EXTRA_RESPONDER.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {EXTRA_RESPONDER.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="leave one owner of the address: memberlist, pools, virtual-router IDs",
        commands=("arping -c 4 ADDRESS", "kubectl -n metallb-system logs -l component=speaker | grep -i memberlist"),
    )
