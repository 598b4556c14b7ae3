"""The packet's source is an address of the node itself.

What happens   The client sends from an address that is local on the node: a service's own address on kube-ipvs0 (health
               checks of an outside load balancer), a virtual address, a bridge with the client's network. The kernel
               discards such packets whatever rp_filter says.
How it looks   a capture sees the SYN arrive and nothing answers; `martian source` in the kernel's log with log_martians
Confirm        `ip route get CLIENT` on the node says `local`
Fix            let the client use another source address, or take its address off the node
Not to be confused with  reverse-path-filter (the source is elsewhere, over another interface)
References     Linux fib_frontend.c __fib_validate_source; kubernetes issue 75262
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, everywhere_too, tells
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import MARTIAN
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="martian-source",
    class_="ingress-martian-source",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=Chance(0.003, "takes a client with an address of the node's own"),
    summary="the client's address is one of {name} itself, so the kernel discards its packets",
)


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    nodes = affected_nodes(world, MARTIAN)
    return by_leaf(FAULT, world, nodes, MARTIAN, "the client's source address is local on the node")


def apply(world: World, suspect: Suspect) -> Changes:
    return {MARTIAN.of(suspect.subject): True, **tells(world, "martian-source")}


def remove(world: World, suspect: Suspect) -> Changes:
    return {MARTIAN.of(suspect.subject): False, MARTIAN.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="give the client's packets a source that is no address of the nodes",
        commands=(f"ip route get CLIENT   # on {suspect.name}: local?",),
    )
