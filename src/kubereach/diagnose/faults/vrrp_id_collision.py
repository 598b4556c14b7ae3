"""Two VRRP groups on one segment use the same virtual router ID.

What happens   keepalived takes the other group's advertisements for its own, so that its masters step down for a
               group that has other addresses, and come back: the address is there by turns.
How it looks   the address comes and goes or moves; `bogus VRRP packet`, `received an invalid passwd`
Confirm        `tcpdump -ni INTERFACE vrrp`: one ID with two sets of addresses
Fix            another virtual_router_id
Not to be confused with  l2-two-announcers (one group, split by lost multicast)
References     RFC 9568 section 5.2.3; keepalived vrrp.c
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import HELD_BY_TURNS, TELLS
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="vrrp-id-collision",
    class_="ann-l2-multiple-responders",
    layer="announcement-l2",
    owner=Owner.NETWORK,
    prior=Chance(0.004, "takes VRRP twice on one segment"),
    summary="two VRRP groups of the segment use the same virtual router ID",
)
WITH_VRRP = Chance(0.012, "where a product that speaks VRRP is in use")
# What keepalived writes about foreign advertisements (keepalived vrrp/vrrp.c).
TELL_TALES = (
    "bogus-vrrp-packet-received-on",
    "received-an-invalid-passwd",
    "ignoring-received-advertisment",
    "ip-address-associated-with-vrid-not-present-in-received-pack",
    "one-or-more-vip-associated-with-vrid-mismatch-actual-master",
)


def suspects(world: World) -> Iterable[Suspect]:
    prior = WITH_VRRP if world.network.stack & {"keepalived", "openelb"} else None
    return (Suspect(fault=FAULT, subject=world.network.flow.service, prior=prior),) if prior else ()


def apply(world: World, suspect: Suspect) -> Changes:
    told = (*world.get("cluster", TELLS), *TELL_TALES)
    return {HELD_BY_TURNS.of(suspect.subject): True, TELLS.of("cluster"): told}


def remove(world: World, suspect: Suspect) -> Changes:
    return {HELD_BY_TURNS.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="give each VRRP group of the segment its own virtual router ID",
        commands=("tcpdump -ni INTERFACE vrrp   # which routers use which IDs",),
    )
