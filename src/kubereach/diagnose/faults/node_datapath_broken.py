"""The node's datapath does not cover the interface, or lost its rules.

What happens   The eBPF programs are not attached to the interface the traffic enters by, or another program
               removed IP rules and routes.
How it looks   traffic arrives in a capture and no program counts it; other nodes are fine
Confirm        the agent's list of devices; `ip rule`
Fix            name the devices; keep systemd-networkd or NetworkManager from removing foreign rules
Not to be confused with  host-firewall-drop (a rule counts the packet)
References     Cilium devices option; systemd-networkd ManageForeignRoutingPolicyRules
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes, on_nodes
from kubereach.model.attribute import DATAPATH_BROKEN
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="node-datapath-broken",
    class_="ingress-node-datapath-broken",
    layer="node-ingress",
    owner=Owner.CLUSTER,
    prior=0.006,
    summary="the datapath on {name} does not take the packets",
)


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes(FAULT, entry_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {DATAPATH_BROKEN.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {DATAPATH_BROKEN.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"make the datapath on {suspect.name} cover the interface that the traffic enters by",
        commands=("cilium-dbg status --verbose; ip rule",),
    )
