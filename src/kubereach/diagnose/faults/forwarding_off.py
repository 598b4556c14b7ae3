"""The kernel does not forward.

What happens   net.ipv4.ip_forward or an interface's forwarding is off, so translated packets to a pod are dropped
               in silence. A host hardened or re-read by sysctl --system after kubelet's start is the usual way there.
How it looks   tests on the node itself work; a capture sees the SYN arrive, and nothing leaves
Confirm        `sysctl net.ipv4.ip_forward net.ipv4.conf.all.forwarding net.ipv4.conf.INTERFACE.forwarding`
Fix            set it to 1, persistently
Not to be confused with  forward-drop (a rule counts)
References     Linux ip-sysctl; net/ipv4/route.c ip_route_input_slow (IN_DEV_FORWARD of the incoming interface)
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, everywhere_too, exposed, seen_of
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import FORWARDING, FORWARDING_OFF
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="forwarding-off",
    class_="ingress-ip-forward-off",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=Chance(0.006, "kubeadm refuses to start without forwarding; it can only be lost later"),
    summary="{name} does not forward packets",
)


ODDS: dict[object, Chance] = {True: Chance(0.002, "where ip_forward is on: one interface may differ")}


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    nodes = affected_nodes(world, FORWARDING_OFF, FORWARDING)
    off = [n for n in nodes if seen_of(world, n, FORWARDING_OFF)]
    yield from by_leaf(FAULT, world, off, FORWARDING_OFF, "forwarding is off")
    rest = [n for n in nodes if n not in off]
    yield from exposed(FAULT, world, rest, FORWARDING, ODDS, "ip_forward is on, but an interface may differ")


def apply(world: World, suspect: Suspect) -> Changes:
    return {FORWARDING_OFF.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {FORWARDING_OFF.of(suspect.subject): False, FORWARDING_OFF.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"switch forwarding on at {suspect.name}",
        commands=("sysctl -w net.ipv4.ip_forward=1 net.ipv4.conf.INTERFACE.forwarding=1",),
    )
