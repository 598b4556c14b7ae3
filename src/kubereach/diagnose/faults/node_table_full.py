"""A table of the node's kernel is full.

What happens   The connection-tracking, neighbour or another table has reached its limit, so that new flows are dropped
               while established ones go on.
How it looks   some connections time out and others work, worse under load; the kernel's log says `table full`
Confirm        `sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max`; `dmesg -T | grep -i full`
Fix            raise the limit, and find what fills the table
Not to be confused with  two announcing nodes (no load matters)
References     Linux net/netfilter/nf_conntrack_core.c, net/core/neighbour.c
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, everywhere_too, tells
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import TABLE_FULL
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="node-table-full",
    class_="ingress-node-resource-exhausted",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=Chance(0.003, "estimate: shows under load alone, and kernels log it"),
    summary="a kernel table on {name} is full",
)


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    nodes = affected_nodes(world, TABLE_FULL)
    return by_leaf(FAULT, world, nodes, TABLE_FULL, "the connection table has reached its maximum")


def apply(world: World, suspect: Suspect) -> Changes:
    return {TABLE_FULL.of(suspect.subject): True, **tells(world, "conntrack-table-full", "neighbour-table-overflow")}


def remove(world: World, suspect: Suspect) -> Changes:
    return {TABLE_FULL.of(suspect.subject): False, TABLE_FULL.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"raise the limit of the full table on {suspect.name}",
        commands=("sysctl -w net.netfilter.nf_conntrack_max=1048576",),
        side_effects=("kernel memory for each entry",),
    )
