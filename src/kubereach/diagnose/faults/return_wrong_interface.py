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

from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes, on_nodes
from kubereach.model.attribute import REPLY_WRONG_INTERFACE
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="return-wrong-interface",
    class_="return-wrong-interface-multihomed",
    layer="return-path",
    owner=Owner.HOST,
    prior=0.01,
    summary="the answer leaves {name} by another interface than the request came in",
)


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes(FAULT, entry_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {REPLY_WRONG_INTERFACE.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {REPLY_WRONG_INTERFACE.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"make {suspect.name} answer by the interface that the request came in",
        commands=("ip rule add from ADDRESS table 100; ip route add default via GATEWAY table 100",),
    )
