"""The FORWARD policy or a rule drops.

What happens   Docker, ufw or a hardening script set the FORWARD policy to DROP, and nothing accepts this traffic.
How it looks   tests on the node itself work, everything forwarded does not
Confirm        `iptables -L FORWARD -nv` on the entry node
Fix            accept the pod network in FORWARD, or set the policy to ACCEPT
Not to be confused with  host-firewall-drop (INPUT), forwarding-off
References     iptables; Docker's packet filtering manual
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes, on_nodes
from kubereach.model.attribute import FORWARD_DROP
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="forward-drop",
    class_="ingress-forward-drop",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=0.015,
    summary="the FORWARD chain on {name} drops the packets",
)


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes(FAULT, entry_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {FORWARD_DROP.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {FORWARD_DROP.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"let {suspect.name} forward to the pods",
        commands=("iptables -P FORWARD ACCEPT   # or accept the pod network only",),
    )
