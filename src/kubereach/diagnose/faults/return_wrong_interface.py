"""The reply leaves by another NIC.

What happens   The node has several interfaces and answers by its default route, with a source that does not belong
               there.
How it looks   captures see the request on one interface and the answer on another
Confirm        `ip route get CLIENT from ADDRESS` on the node
Fix            policy routing by source, or announce on the interface of the default route
Not to be confused with  reverse-path-filter (the request itself is dropped)
References     RFC 3704; MetalLB issue 533
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import doubt, on_nodes_alike, places
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect, entry_nodes
from kubereach.model.attribute import MULTIHOMED_DOUBT, REPLY_WRONG_INTERFACE
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="return-wrong-interface",
    class_="return-wrong-interface-multihomed",
    layer="return-path",
    owner=Owner.HOST,
    prior=Chance(0.01, "nodes with several interfaces only"),
    summary="the answer leaves {name} by another interface than the request came in",
)
SUSPECTED = Chance(0.2, "where the address is on the link of one leg and the default route leaves by another")
SEVERAL_LEGS = Chance(0.03, "where the node has legs in several subnets")


def suspects(world: World) -> Iterable[Suspect]:
    told = [world.network.seen(node, MULTIHOMED_DOUBT) or "" for node in world.network.nodes]
    suspected = SUSPECTED if any("default route" in text for text in told) else SEVERAL_LEGS
    for found in on_nodes_alike(world, FAULT, entry_nodes(world), MULTIHOMED_DOUBT, suspected):
        if all(doubt(world, node, MULTIHOMED_DOUBT) == "" for node in places(world, found)):
            yield replace(found, presence=Presence.ABSENT)  # there is no other interface
        else:
            yield found


def apply(world: World, suspect: Suspect) -> Changes:
    return {REPLY_WRONG_INTERFACE.of(node): True for node in places(world, suspect)}


def remove(world: World, suspect: Suspect) -> Changes:
    return {REPLY_WRONG_INTERFACE.of(node): False for node in places(world, suspect)}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"make {suspect.name} answer by the interface that the request came in",
        commands=("ip rule add from ADDRESS table 100; ip route add default via GATEWAY table 100",),
    )
