"""Full-size packets do not fit between the nodes.

What happens   The entry node wraps what it hands to a pod on another node (VXLAN, IPIP, direct return), and the sum is
               larger than the link carries. With DF set it is dropped, and the ICMP error does not get to the sender.
How it looks   small requests work; long ones stall when the pod runs on another node than the one that got the packet
Confirm        `ip link` on both nodes: link MTU less the tunnel's header against the pods' MTU; `ping -M do -s SIZE`
               between nodes
Fix            set the pods' and tunnel's MTU to what fits, raise the link's, or clamp the MSS
Not to be confused with  mtu-blackhole (the same on the way to the client)
References     RFC 7348 section 4.3; RFC 4459; RFC 1191
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import by_doubt
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import DIRECT_RETURN, FORWARD_MTU, MTU_DOUBT
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="tunnel-mtu",
    class_="return-mtu-pmtud",
    layer="return-path",
    owner=Owner.NETWORK,
    prior=Chance(0.008, "most CNIs compute the MTU by themselves"),
    summary="encapsulated full-size packets do not fit between the nodes",
)
WRAPPED = Chance(0.05, "direct return wraps what nobody else does, or adds an option")
SUSPECTED = Chance(0.15, "where the numbers do not fit")


def suspects(world: World) -> Iterable[Suspect]:
    prior = WRAPPED if world.get("cluster", DIRECT_RETURN) else None
    return (by_doubt(world, FAULT, "cluster", ("cluster", MTU_DOUBT), SUSPECTED, prior),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {FORWARD_MTU.of("cluster"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {FORWARD_MTU.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="make pod and tunnel MTU fit the links between the nodes",
        commands=("ip -d link | grep -E 'mtu|vxlan|ipip'; ping -M do -s 1422 OTHER-NODE",),
        side_effects=("pods keep their old MTU until they are restarted",),
    )
