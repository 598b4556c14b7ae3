"""Encapsulated packets between the nodes are dropped.

What happens   A firewall, security group or fabric drops IP protocol 4, UDP 4789, 8472 or 6081 between nodes, so pods
               of other nodes are out of reach.
How it looks   works when the packet enters at the pod's node; otherwise silence; pod-to-pod between nodes fails
Confirm        `tcpdump -ni UPLINK udp port 4789 or proto 4` on both nodes
Fix            allow the encapsulation between all nodes
Not to be confused with  no-pod-route (the node has no route to send it by)
References     RFC 7348; RFC 2003; Calico network requirements
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import ENCAPSULATION, TUNNEL_BLOCKED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="encapsulation-blocked",
    class_="fabric-encapsulation-blocked",
    layer="fabric",
    owner=Owner.NETWORK,
    prior=Chance(
        0.012, "a firewall that forgets UDP 4789 or IP protocol 4 breaks more than this service, and is found sooner"
    ),
    summary="encapsulated packets between the nodes are dropped",
    standing=True,
)


def suspects(world: World) -> Iterable[Suspect]:
    if len(world.network.nodes) < 2 or world.get("cluster", ENCAPSULATION) == "none":
        return ()
    return (Suspect(fault=FAULT, subject="cluster"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {TUNNEL_BLOCKED.of(node): True for node in world.network.nodes}


def remove(world: World, suspect: Suspect) -> Changes:
    return {TUNNEL_BLOCKED.of(node): False for node in world.network.nodes}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="allow the encapsulation between all nodes",
        commands=(
            "VXLAN: UDP 4789 (flannel, Cilium: 8472); IPIP: IP protocol 4; Geneve: UDP 6081; WireGuard: UDP 51820",
        ),
    )
