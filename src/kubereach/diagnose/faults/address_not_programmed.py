"""The node has no rule for the address.

What happens   The proxy works and does not program this address: ipMode Proxy, an option that leaves LoadBalancer
               addresses out (kube-router), an address that its datapath does not take for the node's, a lagging sync.
How it looks   node port and cluster address work, the external address does not; packets loop between node and
               router, or the node refuses
Confirm        the proxy's own table for the address on the entry node
Fix            enable LoadBalancer addresses in the proxy; check ipMode in the service's status
Not to be confused with  service-proxy-down (nothing works there)
References     kubernetes KEP-1860; kube-router's service proxy options; Cilium node addresses
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect
from kubereach.model.attribute import NOT_PROGRAMMED, PROXY_MODE
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="address-not-programmed",
    class_="proxy-lb-ip-not-programmed",
    layer="service-proxy",
    owner=Owner.CLUSTER,
    prior=Chance(0.008, "rare: kube-proxy programs every address it is shown"),
    summary="the service proxy on {name} has no rule for the address",
)


OWN_CHOICE = Chance(0.03, "replacements of kube-proxy pick the addresses that they serve themselves")


def suspects(world: World) -> Iterable[Suspect]:
    own = "kube-router" in world.network.stack or world.get("cluster", PROXY_MODE) in {"kube-router", "ebpf"}
    for found in by_leaf(
        FAULT, world, affected_nodes(world, NOT_PROGRAMMED), NOT_PROGRAMMED, "the proxy passes it over"
    ):
        yield replace(found, prior=OWN_CHOICE) if own and found.presence is Presence.UNKNOWN else found


def apply(world: World, suspect: Suspect) -> Changes:
    return {NOT_PROGRAMMED.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {NOT_PROGRAMMED.of(suspect.subject): False, NOT_PROGRAMMED.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"have the proxy on {suspect.name} program the address",
        commands=("iptables-save | grep ADDRESS; ipvsadm -Ln | grep ADDRESS",),
    )
