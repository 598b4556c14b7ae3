"""Two or more nodes answer for the address.

What happens   The speakers' memberlist is split, two services that share an address elect different nodes, or an old
               leader keeps the address on its interface: two nodes of the cluster own it.
How it looks   arping shows the MACs of two nodes; connections fail now and then
Confirm        `arping -c 4 ADDRESS`, and whose MACs they are
Fix            restore the speakers' memberlist (TCP and UDP 7946); take the address from the old leader's interface
Not to be confused with  ipvs-no-strict-arp (every node of an IPVS cluster), address-owned-twice (a stranger's MAC)
References     MetalLB memberlist; RFC 9568
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_layer2
from kubereach.model.attribute import EXTRA_RESPONDER, SPLIT_MEMBERS
from kubereach.model.diagnosis import Owner
from kubereach.simulate.arp import responders
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="l2-two-announcers",
    class_="ann-l2-multiple-responders",
    layer="announcement-l2",
    owner=Owner.CLUSTER,
    prior=Chance(0.02, "elections keep it to one; takes a split or a second owner"),
    summary="more than one node answers for the address",
)
DEAF = Chance(0.4, "where the announcers are seen not to hear each other")
MOST = 8  # of the nodes that may be the second one


def suspects(world: World) -> Iterable[Suspect]:
    flow = world.network.flow
    if not speaks_layer2(world):
        return ()
    answering = responders(world, flow.service, flow.address)
    others = [n for n in world.network.nodes if n not in answering]
    split = DEAF if world.network.seen("cluster", SPLIT_MEMBERS) else FAULT.prior
    return tuple(Suspect(fault=FAULT, subject=n, prior=split / min(len(others), MOST)) for n in others[:MOST])


def apply(world: World, suspect: Suspect) -> Changes:
    return {EXTRA_RESPONDER.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {EXTRA_RESPONDER.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="leave one owner of the address: mend the speakers' memberlist, clear the old leader's interface",
        commands=("arping -c 4 ADDRESS", "kubectl -n metallb-system logs -l component=speaker | grep -i memberlist"),
    )
