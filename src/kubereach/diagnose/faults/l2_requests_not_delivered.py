"""The ARP or NDP request does not get to the responder.

What happens   Wi-Fi without broadcast, a bridge or switch that filters, a VLAN that is not carried, or a multicast
               group not joined.
How it looks   no reply to arping; the leader's capture sees no request; a node's own address is answered
Confirm        `tcpdump -ni any arp` on the leader while a client asks
Fix            carry the broadcast: promiscuous mode, VLAN, bridge settings
Not to be confused with  l2-nobody-answers (the request arrives)
References     RFC 826, RFC 4861; MetalLB troubleshooting
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_layer2
from kubereach.model.attribute import ARP_LOST, UPLINK
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="l2-requests-not-delivered",
    class_="ann-l2-arp-not-delivered",
    layer="announcement-l2",
    owner=Owner.NETWORK,
    prior=Chance(0.012, "wired networks carry ARP; Wi-Fi, odd bridges and multicast filters may not"),
    summary="ARP or NDP requests do not get to the node that should answer",
)
# How often such an uplink keeps broadcasts for foreign addresses from the node (metallb.md section 3).
UPLINKS = {
    "wifi": Chance(0.3, "access points hold back broadcast, and some radios miss it without promiscuous mode"),
    "macvlan": Chance(0.12, "a macvlan or ipvlan interface hears what its parent passes on"),
    "bridge": Chance(0.1, "a bridge may filter or snoop multicast"),
}


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_layer2(world):
        return ()
    uplink = world.network.seen("cluster", UPLINK) or ""
    return (Suspect(fault=FAULT, subject="cluster", prior=UPLINKS.get(uplink)),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {ARP_LOST.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {ARP_LOST.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="make broadcast and multicast of the segment reach the announcing node",
        commands=("ip link set INTERFACE promisc on",),
    )
