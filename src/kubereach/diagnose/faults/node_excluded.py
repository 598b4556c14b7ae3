"""A label or selector keeps every candidate node from announcing.

What happens   The exclusion label (kubeadm puts it on control planes, empty) keeps MetalLB's speakers since 0.14.2 and
               cloud controllers from the node; Calico heeds it only with the value "true".
How it looks   the address is given and nobody announces it; often right after an upgrade or on small clusters
Confirm        `kubectl get nodes -l node.kubernetes.io/exclude-from-external-load-balancers`
Fix            take the label off, or start the speakers with --ignore-exclude-lb
Not to be confused with  no-advertisement (no object selects the pool)
References     kubernetes PR 98269; MetalLB release notes 0.14.2; Calico confd client.go ExcludeServiceAdvertisement
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect, announcing_nodes
from kubereach.model.attribute import ANNOUNCER, EXCLUDED, LABELS, why
from kubereach.model.diagnosis import Owner
from kubereach.simulate.announced import EXCLUDE_LABEL, excluded
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="node-excluded",
    class_="ann-node-excluded",
    layer="announcement",
    owner=Owner.CLUSTER,
    prior=Chance(0.015, "kubeadm labels control planes, so single-node clusters have it"),
    summary="a label or selector keeps {name} from announcing",
)


def suspects(world: World) -> Iterable[Suspect]:
    calico = world.get("cluster", ANNOUNCER) == "calico-bgp"
    for node in announcing_nodes(world):
        labelled = excluded(world, node, value="true" if calico else None)
        where = world.network.origins(node, LABELS) or world.network.origins("cluster", LABELS)
        chosen_out = world.network.seen(node, why(EXCLUDED))
        if chosen_out:
            told = tuple((o, chosen_out) for o in world.network.origins(node, EXCLUDED)[:1])
            yield Suspect(fault=FAULT, subject=node, presence=Presence.PRESENT, because=told)
        elif labelled:
            because = tuple((o, f"the node carries {EXCLUDE_LABEL}") for o in where)
            yield Suspect(fault=FAULT, subject=node, presence=Presence.PRESENT, because=because)
        elif where:
            because = tuple((o, f"its labels do not hold {EXCLUDE_LABEL} in a way that counts") for o in where[:1])
            yield Suspect(fault=FAULT, subject=node, presence=Presence.ABSENT, because=because)
        else:
            yield Suspect(fault=FAULT, subject=node)


def apply(world: World, suspect: Suspect) -> Changes:
    return {EXCLUDED.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    every = world.network.nodes
    cleaned = {LABELS.of(n): _without(world.get(n, LABELS)) for n in (*every, "cluster")}
    return {**cleaned, EXCLUDED.of(suspect.subject): False}


def _without(labels: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in labels if pair[0] != EXCLUDE_LABEL)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="take the exclusion label off the nodes that should announce",
        commands=(f"kubectl label node {suspect.name} {EXCLUDE_LABEL}-",),
    )
