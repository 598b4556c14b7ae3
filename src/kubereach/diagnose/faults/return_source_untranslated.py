"""The reply bypasses the node that translated, so its source is wrong.

What happens   The packet was translated on one node and the pod on another node answers the client directly: its own
               address, or a node's, is the source, and the client drops what it did not ask.
How it looks   a capture at the client or on the way shows answers from a pod's or node's address, then resets
Confirm        `tcpdump host CLIENT` at the client while trying
Fix            translate the source too (policy Cluster), or have the traffic enter at the pod's node
Not to be confused with  no-local-endpoint-policy (the same answer by IPVS's fallback)
References     RFC 9293 section 3.10.7; Linux nf_conntrack; kubernetes pkg/proxy masqueradeAll
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import SOURCE_UNTRANSLATED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="return-source-untranslated",
    class_="return-source-not-translated",
    layer="return-path",
    owner=Owner.CLUSTER,
    prior=Chance(0.006, "estimate: takes a proxy or CNI that skips the translation"),
    summary="answers reach the client with an address that it did not ask",
)


def suspects(world: World) -> Iterable[Suspect]:
    return (Suspect(fault=FAULT, subject=world.network.flow.service),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {SOURCE_UNTRANSLATED.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {SOURCE_UNTRANSLATED.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="make the answer pass the node that translated",
        commands=("tcpdump -ni any host CLIENT   # at the client and at both nodes: which source do answers have?",),
    )
