"""Legacy iptables and nftables rules contradict each other.

What happens   kube-proxy or the CNI writes with one backend and the host or another agent with the other; both sets
               hold, and old rules left in one drop what the other accepts.
How it looks   rules look right in one listing; `iptables-legacy tables present` in the other's
Confirm        `iptables-legacy-save` and `iptables-nft-save`, both on the node
Fix            use one backend for all, and flush the other's rules
Not to be confused with  forward-drop (in the listing that everybody looks at)
References     iptables-nft(8); kubernetes-sigs/iptables-wrappers
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, everywhere_too, exposed, seen_of
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import MIXED_BACKENDS, PROXY_MODE, TWO_BACKENDS
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="mixed-backends",
    class_="proxy-mixed-backends",
    layer="service-proxy",
    owner=Owner.HOST,
    prior=Chance(0.003, "hosts that were upgraded in place, mostly years ago"),
    summary="rules of the other iptables backend interfere on {name}",
)


ODDS: dict[object, Chance] = {
    True: Chance(0.25, "where both backends are seen to hold rules"),
    False: Chance(0.0, "where one is seen to be empty"),
}


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    if world.get("cluster", PROXY_MODE) == "ebpf":
        return
    nodes = affected_nodes(world, MIXED_BACKENDS)
    decided = [n for n in nodes if seen_of(world, n, MIXED_BACKENDS)]
    yield from by_leaf(FAULT, world, decided, MIXED_BACKENDS, "the other backend's rules drop what goes to the pods")
    nodes = tuple(n for n in nodes if n not in decided)
    yield from exposed(FAULT, world, nodes, TWO_BACKENDS, ODDS, "both backends hold rules")


def apply(world: World, suspect: Suspect) -> Changes:
    return {MIXED_BACKENDS.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {MIXED_BACKENDS.of(suspect.subject): False, MIXED_BACKENDS.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"have one iptables backend on {suspect.name}",
        commands=("iptables-legacy-save; iptables-nft-save",),
        side_effects=("flushing rules cuts what they carry until they are written again",),
    )
