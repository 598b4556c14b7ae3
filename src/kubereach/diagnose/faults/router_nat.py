"""Destination or source NAT on the router rewrites or loops the flow.

What happens   A NAT rule meant for other traffic rewrites the destination or the source of the client's packets or of
               the answers, or a hairpin through the router lacks its source translation.
How it looks   the node sees another source or destination than the client sent, or nothing; answers come from another
               address
Confirm        the router's NAT rules and connection table while trying; a capture on both of its sides
Fix            exempt the pool from the rule
Not to be confused with  router-firewall-drop (nothing is rewritten)
References     RFC 4787 section 6; the router's manual
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import by_doubt
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect
from kubereach.model.attribute import ROUTED, ROUTER_NAT, ROUTER_NAT_DOUBT, why
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="router-nat",
    class_="router-nat-hairpin",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.008, "estimate: takes a rule that is wider than meant"),
    summary="address translation on the router rewrites or loops the flow",
)
SUSPECTED = Chance(0.12, "where NAT rules are shown or spoken of")


def suspects(world: World) -> Iterable[Suspect]:
    if not world.get("client", ROUTED):
        return ()
    if world.network.seen("router", ROUTER_NAT):
        said = world.network.seen("router", why(ROUTER_NAT)) or ""
        because = tuple((origin, said) for origin in world.network.origins("router", ROUTER_NAT)[:1])
        return (Suspect(fault=FAULT, subject="router", presence=Presence.PRESENT, because=because),)
    return (by_doubt(world, FAULT, "router", ("router", ROUTER_NAT_DOUBT), SUSPECTED),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {ROUTER_NAT.of("router"): "destination"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {ROUTER_NAT.of("router"): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="exempt the pool's addresses from the router's NAT",
        commands=("RouterOS: /ip firewall nat print stats; Linux: iptables -t nat -S, conntrack -L -d ADDRESS",),
    )
