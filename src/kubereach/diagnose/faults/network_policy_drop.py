"""A NetworkPolicy of any dialect denies.

What happens   A policy selects the pod and admits neither the client nor what its address was translated to.
How it looks   silence from outside although the pod runs; works once the policy is gone
Confirm        `kubectl get networkpolicy -A`, and those of the CNI
Fix            admit the clients, or the nodes where the source is translated
Not to be confused with  pod-not-listening (refused, not silent)
References     Kubernetes NetworkPolicy
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import POLICY_DROP
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="network-policy-drop",
    class_="policy-networkpolicy",
    layer="policy",
    owner=Owner.CLUSTER,
    prior=0.02,
    summary="a network policy does not admit the client to the pod",
)


def suspects(world: World) -> Iterable[Suspect]:
    return (Suspect(fault=FAULT, subject=world.network.flow.service),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {POLICY_DROP.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {POLICY_DROP.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="admit the client in the network policy that selects the pod",
        commands=("kubectl get networkpolicy -A",),
    )
