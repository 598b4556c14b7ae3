"""kube-proxy in IPVS mode without strictARP: every node answers ARP for the address.

What happens   The address is bound on kube-ipvs0 on every node, and the kernel answers ARP for any local address on
               any interface unless arp_ignore says otherwise. Several MACs answer, and traffic lands anywhere.
How it looks   arping shows several MACs; works for a while and then not
Confirm        `kubectl -n kube-system get cm kube-proxy -o yaml | grep strictARP`; sysctl net.ipv4.conf.all.arp_ignore
Fix            strictARP: true, and restart kube-proxy
Not to be confused with  l2-two-announcers (two speakers believe to be the leader)
References     kubernetes pkg/proxy/ipvs; MetalLB installation notes
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect, speaks_layer2
from kubereach.model.attribute import PROXY_MODE, STRICT_ARP
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="ipvs-no-strict-arp",
    class_="ann-l2-multiple-responders",
    layer="announcement-l2",
    owner=Owner.CLUSTER,
    prior=Chance(0.15, "strictARP is off by default, and MetalLB's manual says to set it: most did"),
    summary="every node answers ARP for the address, since strictARP is off",
)


def suspects(world: World) -> Iterable[Suspect]:
    if world.get("cluster", PROXY_MODE) != "ipvs" or not speaks_layer2(world):
        return ()
    seen = world.network.seen("cluster", STRICT_ARP)
    presence = Presence.UNKNOWN if seen is None else Presence.ABSENT if seen else Presence.PRESENT
    because = tuple((o, f"strictARP: {str(seen).lower()}") for o in world.network.origins("cluster", STRICT_ARP)[:1])
    return (Suspect(fault=FAULT, subject="cluster", presence=presence, because=because),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {STRICT_ARP.of("cluster"): False}


def remove(world: World, suspect: Suspect) -> Changes:
    return {STRICT_ARP.of("cluster"): True}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="set strictARP for kube-proxy and restart it",
        commands=(
            "kubectl -n kube-system edit configmap kube-proxy   # ipvs.strictARP: true",
            "kubectl -n kube-system rollout restart daemonset kube-proxy",
        ),
    )
