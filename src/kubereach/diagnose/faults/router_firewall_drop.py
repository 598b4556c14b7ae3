"""The router's firewall drops new connections to the address.

What happens   A forward rule keeps the client's network from the pool's prefix.
How it looks   the router's drop counter rises; no packet reaches a node
Confirm        the router's firewall counters while trying
Fix            accept the flow before the drop
Not to be confused with  asymmetric-stateful-router (the first packet passes)
References     the router's manual
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import by_leaf
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import ROUTED, ROUTER_FIREWALL
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="router-firewall-drop",
    class_="router-firewall-drop",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.015, "estimate: rules for a network that did not exist when they were written"),
    summary="the router's firewall drops new connections to the address",
)

UNSHOWN = Chance(0.0015, "where the filter that was shown passes the flow: another table or program may drop it")


def suspects(world: World) -> Iterable[Suspect]:
    if not world.get("client", ROUTED):
        return ()
    if world.network.seen("router", ROUTER_FIREWALL) is False:
        return (Suspect(fault=FAULT, subject="router", prior=UNSHOWN),)
    return by_leaf(FAULT, world, ("router",), ROUTER_FIREWALL, "its rules drop what goes to the address")


def apply(world: World, suspect: Suspect) -> Changes:
    return {ROUTER_FIREWALL.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {ROUTER_FIREWALL.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="accept the clients' traffic to the pool on the router",
        commands=("RouterOS: /ip firewall filter print stats",),
    )
