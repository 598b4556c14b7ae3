"""The ARP or NDP request arrives and nobody is meant or allowed to answer.

What happens   The address sits on lo or a dummy device and arp_ignore (strictARP) forbids the answer, or it is IPv6 on
               kube-ipvs0, which joins no multicast group, or it is an externalIP that nothing announces.
How it looks   the request is seen on the node, no reply leaves; works from the nodes
Confirm        `tcpdump -eni any arp or icmp6` on the node; sysctl arp_ignore; where the address sits
Fix            an announcer for it; proxy NDP; or the address on the interface itself
Not to be confused with  l2-requests-not-delivered (the request does not arrive)
References     Linux ip-sysctl arp_ignore; kube-proxy strictARP; RFC 4861
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect, speaks_layer2
from kubereach.model.address import family
from kubereach.model.attribute import ANNOUNCER, ARP_SILENT, LOOPBACK_ADDRESS, PROXY_MODE, ROUTED, STRICT_ARP
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="l2-nobody-answers",
    class_="ann-l2-no-arp-ndp-reply",
    layer="announcement-l2",
    owner=Owner.CLUSTER,
    prior=Chance(
        0.01,
        "announcers answer by themselves; takes an address that the kernel must answer for",
    ),
    summary="requests for the address arrive, and no kernel or agent is meant or allowed to answer them",
)
DUMMY_DEVICE = Chance(0.2, "IPv6 on IPVS's dummy device, which joins no solicited-node group")
ON_LOOPBACK = Chance(0.3, "where an address is on the loopback and arp_ignore is set")


def suspects(world: World) -> Iterable[Suspect]:
    announcer, address = world.get("cluster", ANNOUNCER), world.network.flow.address
    ipvs = world.get("cluster", PROXY_MODE) == "ipvs"
    if announcer == "kernel-l2" and address:
        strict = world.network.seen("cluster", STRICT_ARP)
        bound = ipvs and family(address) == 4  # the kernels have it, and answer unless strictARP is on
        present = Presence.PRESENT if not bound or strict else Presence.UNKNOWN
        where = world.network.origins("cluster", ANNOUNCER)[:1]
        because = tuple((o, "nothing announces the address, and no kernel answers for it") for o in where)
        return (Suspect(fault=FAULT, subject="cluster", presence=present, because=because, prior=DUMMY_DEVICE),)
    if announcer == "kube-vip-bgp":
        silent = world.network.seen("cluster", LOOPBACK_ADDRESS) and world.network.seen("cluster", STRICT_ARP)
        return (Suspect(fault=FAULT, subject="client", prior=ON_LOOPBACK if silent else None),)
    if not speaks_layer2(world):
        return ()
    return (Suspect(fault=FAULT, subject="cluster", prior=DUMMY_DEVICE if ipvs and family(address) == 6 else None),)


def apply(world: World, suspect: Suspect) -> Changes:
    if suspect.subject == "client":  # the client asks its segment for an address that no interface there has
        return {ROUTED.of("client"): False}
    return {ARP_SILENT.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    if suspect.subject == "client":
        return {ROUTED.of("client"): True}
    changes: dict[tuple[str, str], object] = {ARP_SILENT.of(suspect.subject): False}
    if world.get("cluster", ANNOUNCER) == "kernel-l2":
        changes[ANNOUNCER.of("cluster")] = "other-l2"
    return changes


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="let something answer for the address: an announcer, or the interface of the clients' segment",
        commands=("sysctl net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.arp_announce",),
    )
