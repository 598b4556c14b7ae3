"""Direct-return replies, or packets with the option that asks for them, are dropped.

What happens   With direct server return the entry node hands the packet on with the service's address in an IP option,
               an extension or a tunnel, and the pod's node answers the client itself. Firewalls, fabrics and reverse-
               path filters drop the option or the foreign source.
How it looks   works when the pod runs on the entry node; otherwise the SYN reaches the pod's node and no answer reaches
               the client
Confirm        captures on both nodes; switch the mode to SNAT for a test
Fix            SNAT mode, a tunnel for the forward leg, or a fabric that lets foreign sources and options pass
Not to be confused with  encapsulation-blocked (pods of different nodes do not reach each other at all)
References     Cilium kube-proxy replacement, DSR; Calico bpfExternalServiceMode; kube-router service.dsr
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import DIRECT_RETURN, DSR_DROPPED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="direct-return-dropped",
    class_="return-dsr-dropped",
    layer="return-path",
    owner=Owner.NETWORK,
    prior=Chance(0.3, "asked only where direct server return is in use, which the networks around often do not admit"),
    summary="direct replies, or the packets that ask for them, are dropped between the nodes and the client",
)


def suspects(world: World) -> Iterable[Suspect]:
    if not world.get("cluster", DIRECT_RETURN):
        return ()
    because = tuple((o, "direct server return is on") for o in world.network.origins("cluster", DIRECT_RETURN)[:1])
    return (Suspect(fault=FAULT, subject="cluster", because=because),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {DSR_DROPPED.of("cluster"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {DSR_DROPPED.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="switch from direct return to SNAT, and back when the fabric lets it pass",
        commands=(
            "Cilium: loadBalancer.mode=snat; Calico: bpfExternalServiceMode: Tunnel; kube-router: no dsr annotation",
        ),
        side_effects=("the pods then see a node's address instead of the client's",),
    )
