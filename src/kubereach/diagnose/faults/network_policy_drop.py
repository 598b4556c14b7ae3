"""A NetworkPolicy of any dialect denies.

What happens   A policy selects the pod and admits neither the client nor what its address was translated to, or not on
               the pod's port (the target port counts, not the service's).
How it looks   silence from outside although the pod runs; works once the policy is gone, and from the pod's own node
Confirm        `kubectl get networkpolicy -A`, and those of the CNI
Fix            admit the clients, or the nodes where the source is translated
Not to be confused with  pod-not-listening (refused, not silent)
References     Kubernetes NetworkPolicy
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import by_leaf, exposed, seen_of, tells
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import POLICIES_IN_PLACE, POLICY_DROP
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="network-policy-drop",
    class_="policy-networkpolicy",
    layer="policy",
    owner=Owner.CLUSTER,
    prior=Chance(0.015, "estimate: most namespaces have no policy, and those who have one know it"),
    summary="a network policy does not admit the client to the pod",
)


# A policy that somebody shows is seldom there by chance; none in a complete list acquits.
ODDS: dict[object, Chance] = {
    "laid": Chance(0.3, "where the pods' own rules show that a policy is laid on them"),
    "some": Chance(0.12, "where the namespace has policies"),
    "none": Chance(0.0, "where a complete list shows none"),
}


def suspects(world: World) -> Iterable[Suspect]:
    service = (world.network.flow.service,)
    if seen_of(world, service[0], POLICY_DROP) is not None:
        return by_leaf(FAULT, world, service, POLICY_DROP, "a policy selects the pods and admits no outside client")
    return exposed(FAULT, world, service, POLICIES_IN_PLACE, ODDS, "network policies as far as they were shown")


def apply(world: World, suspect: Suspect) -> Changes:
    return {POLICY_DROP.of(suspect.subject): True, **tells(world, "policy-denied", "policy-deny")}


def remove(world: World, suspect: Suspect) -> Changes:
    return {POLICY_DROP.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="admit the client in the network policy that selects the pod",
        commands=("kubectl get networkpolicy -A",),
    )
