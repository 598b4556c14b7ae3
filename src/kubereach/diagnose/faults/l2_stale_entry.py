"""A neighbour, FDB or switch entry is stale.

What happens   After a change of the leader the router or switch keeps the old MAC or port: gratuitous ARP was lost,
               filtered, or sent only once. With some announcers frames of one MAC come from two ports.
How it looks   works until a failover or some idle minutes; packets arrive at another node; clearing the cache helps
Confirm        the router's neighbour entry and the switch's MAC table against the leader
Fix            clear the entries; accept gratuitous ARP; shorter ageing
Not to be confused with  l2-two-announcers (two hosts really answer)
References     MetalLB announcer (gratuitous ARP for 5 seconds); RFC 5227
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_layer2
from kubereach.model.attribute import ANNOUNCER, CLEARING_HELPS, STALE_NEIGHBOUR
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="l2-stale-entry",
    class_="ann-l2-stale-arp-fdb",
    layer="announcement-l2",
    owner=Owner.NETWORK,
    prior=Chance(0.012, "gratuitous ARP mends most caches at once"),
    summary="a neighbour or forwarding entry still leads to a node that no longer has the address",
)
# OpenELB answers from its manager in the name of another node, which switches may learn (others.md section 4).
SPEAKS_FOR_OTHERS = Chance(0.08, "where a device answers for others (proxy ARP, VRRP and the like)")
COMES_AND_GOES = Chance(0.005, "where the flow comes and goes: one cache of several")
CLEARED = Chance(0.3, "where clearing the entries helps")


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_layer2(world) and world.get("cluster", ANNOUNCER) != "openelb":
        return ()
    if world.network.seen("segment", CLEARING_HELPS):
        return (
            Suspect(fault=FAULT, subject="router", prior=CLEARED),
            Suspect(fault=FAULT, subject="segment", prior=CLEARED),
        )
    comes_and_goes = SPEAKS_FOR_OTHERS if "openelb" in world.network.stack else COMES_AND_GOES
    return (
        Suspect(fault=FAULT, subject="router"),
        Suspect(fault=FAULT, subject="segment", prior=comes_and_goes),
    )


def apply(world: World, suspect: Suspect) -> Changes:
    return {STALE_NEIGHBOUR.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {STALE_NEIGHBOUR.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="clear the entry, and let gratuitous ARP through",
        commands=("ip neigh flush to ADDRESS   # on the router; a switch: clear its MAC and ARP tables",),
    )
