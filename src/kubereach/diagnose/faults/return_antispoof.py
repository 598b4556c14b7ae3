"""uRPF, source guard or spoof protection outside the cluster drops the reply.

What happens   The answer carries the service's address, which the port, hypervisor, firewall or provider does not know
               as one of that node, and is dropped as spoofed.
How it looks   the SYN-ACK leaves the node's interface and never reaches the next device
Confirm        captures on the node's uplink and on the device behind it; the device's spoof or uRPF counters
Fix            allow the pool on the nodes' ports (allowed address pairs, loose uRPF, a route for the pool on the right
               interface)
Not to be confused with  l2-antispoof (which also hides the ARP answers)
References     RFC 3704; BCP 84; OpenStack port security
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import places
from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes
from kubereach.model.attribute import REPLY_ANTISPOOF
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="return-antispoof",
    class_="return-antispoof",
    layer="return-path",
    owner=Owner.NETWORK,
    prior=Chance(0.006, "estimate: managed networks only"),
    summary="spoof protection outside the cluster drops the answers from {name}",
)
# Stacks that guard ports or check sources unless told otherwise.
GUARDED = frozenset({"openstack", "vmware", "pfsense", "opnsense", "fortigate", "juniper", "cisco"})
GUARDED_PRIOR = Chance(0.02, "where the stack guards ports or checks sources unless told otherwise")


def suspects(world: World) -> Iterable[Suspect]:
    prior = GUARDED_PRIOR if world.network.stack & GUARDED else None
    nodes = entry_nodes(world)
    for node in nodes:
        yield Suspect(fault=FAULT, subject=node, prior=prior)
    if len(nodes) > 1:
        yield Suspect(fault=FAULT, subject="cluster", prior=prior)


def apply(world: World, suspect: Suspect) -> Changes:
    return {REPLY_ANTISPOOF.of(node): True for node in places(world, suspect)}


def remove(world: World, suspect: Suspect) -> Changes:
    return {REPLY_ANTISPOOF.of(node): False for node in places(world, suspect)}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="allow the pool's addresses as source on the nodes' ports",
        commands=("tcpdump -ni UPLINK host CLIENT   # does the SYN-ACK leave the node?",),
    )
