"""Wrong checksums by offloading make the other side discard packets.

What happens   A kernel or NIC bug leaves a wrong outer checksum on encapsulated packets whose source was translated;
               the receiving node discards them until a retransmission without offload gets through.
How it looks   answers at once from the pod's node and after 1, 3, 7 or 63 seconds, or never, over another node;
               encapsulated packets arrive and inner ones do not
Confirm        `tcpdump -vv` shows bad udp cksum; `ethtool -k vxlan.calico | grep tx-checksum`
Fix            `ethtool -K vxlan.calico tx-checksum-ip-generic off` (flannel.1 alike), a newer kernel, or a newer CNI
Not to be confused with  encapsulation-blocked (nothing encapsulated arrives), tunnel-mtu (small packets pass)
References     Linux commit ea64d8d6c675 (5.7); kubernetes PR 92035
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import CHECKSUM_BROKEN, ENCAPSULATION
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="checksum-offload",
    class_="fabric-checksum-offload",
    layer="fabric",
    owner=Owner.HOST,
    prior=Chance(0.005, "some NICs, hypervisors and kernels only, and known for VXLAN"),
    summary="nodes discard encapsulated packets for their wrong checksums",
)
SEEN_PRIOR = Chance(0.012, "where VXLAN is known to be in use")


def suspects(world: World) -> Iterable[Suspect]:
    if len(world.network.nodes) < 2 or world.get("cluster", ENCAPSULATION) != "vxlan":
        return ()
    seen = world.network.seen("cluster", ENCAPSULATION) == "vxlan" or "flannel" in world.network.stack
    return (Suspect(fault=FAULT, subject="cluster", prior=SEEN_PRIOR if seen else None),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {CHECKSUM_BROKEN.of("cluster"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {CHECKSUM_BROKEN.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="switch checksum offloading off on the tunnel devices of all nodes",
        commands=("ethtool -K vxlan.calico tx-checksum-ip-generic off   # flannel.1, cilium_vxlan alike",),
        side_effects=("costs some CPU; lost at the next boot",),
    )
