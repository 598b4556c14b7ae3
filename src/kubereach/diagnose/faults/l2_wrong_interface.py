"""The address is announced on the wrong interface, or on none.

What happens   A list or expression names interfaces that the node does not have (after a renaming or on another
               model), or the announcer takes the interface of the default route.
How it looks   nobody answers ARP on the clients' segment, though a leader is elected; MetalLB writes announceFailed
Confirm        `ip -br addr` on the leader, against interfaces, devices or vip_interface
Fix            name the interface that the subnet of the address is on
Not to be confused with  l2-requests-not-delivered (the right interface, and no request)
References     MetalLB L2Advertisement.interfaces; CiliumL2AnnouncementPolicy.interfaces; kube-vip vip_interface
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.decided import decided
from kubereach.diagnose.exposure import tells
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_layer2
from kubereach.model.attribute import L2_WRONG_INTERFACE
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="l2-wrong-interface",
    class_="ann-l2-wrong-interface",
    layer="announcement-l2",
    owner=Owner.CLUSTER,
    prior=Chance(0.015, "takes a list of interfaces, or nodes with several"),
    summary="the address is announced on an interface that the clients' segment is not on, or on none",
)
# MetalLB's event, and what kube-vip ends with (kube-vip v0.8 pkg/kubevip/config_manager.go CheckInterface).
TELL_TALES = ("announceFailed", "~is-not-valid-interface")


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_layer2(world):
        return
    seen = [s for s in (*world.network.nodes, "cluster") if world.network.seen(s, L2_WRONG_INTERFACE) is not None]
    for subject in seen or ["cluster"]:
        yield from decided(world, FAULT, (subject, L2_WRONG_INTERFACE))


def apply(world: World, suspect: Suspect) -> Changes:
    return {L2_WRONG_INTERFACE.of(suspect.subject): True, **tells(world, *TELL_TALES)}


def remove(world: World, suspect: Suspect) -> Changes:
    return {L2_WRONG_INTERFACE.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="announce on the interface whose subnet holds the address",
        commands=("ip -br addr   # on the announcing node, against the interfaces that are configured",),
    )
