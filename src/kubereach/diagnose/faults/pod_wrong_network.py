"""The pod's address was given by another CNI configuration.

What happens   The pod started before the CNI was there, or a runtime's own bridge file comes first, and so it has an
               address of the bridge (10.85.0.0/16 for cri-o), which exists on every node and is routed to none.
How it looks   works on the pod's own node, host unreachable or silence from all others
Confirm        the pod's address against the pools; /etc/cni/net.d on its node
Fix            remove the bridge's configuration and delete the pod, so that it gets an address of the pool
Not to be confused with  no-pod-route (the address is right)
References     cri-o contrib/cni; kubelet takes the first file of /etc/cni/net.d
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import by_leaf
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import WRONG_POD_NETWORK
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="pod-wrong-network",
    class_="pod-wrong-network",
    layer="pod",
    owner=Owner.HOST,
    prior=Chance(0.003, "nodes on which a runtime's own bridge file came first; estimate"),
    summary="the pod's address was given by another CNI configuration",
)


def suspects(world: World) -> Iterable[Suspect]:
    says = "the endpoint's address is of a runtime's own bridge"
    return by_leaf(FAULT, world, (world.network.flow.service,), WRONG_POD_NETWORK, says)


def apply(world: World, suspect: Suspect) -> Changes:
    return {WRONG_POD_NETWORK.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {WRONG_POD_NETWORK.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="take the foreign CNI configuration away and recreate the pod",
        commands=("ls /etc/cni/net.d   # on the pod's node", "kubectl delete pod POD"),
        side_effects=("the pod restarts",),
    )
