"""The announcing agent is down on the node.

What happens   calico-node, speaker, cilium-agent or kube-vip is not running there, so the node announces nothing
               and its session is down.
How it looks   its pod is not ready or missing; the operator waits for a node; the router lacks the node's routes
Confirm        the agent's pods with -o wide, then describe the one that is not ready
Fix            repair the pod: image, taints, crash, conflicting address
Not to be confused with  bgp-session-blocked (the agent runs, its session does not come up)
References     Kubernetes DaemonSet status; Calico node/pkg/health
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Plan, Suspect, announcing_nodes, on_nodes
from kubereach.model.attribute import AGENT_DOWN
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="announcing-agent-down",
    class_="ann-node-agent-down",
    layer="announcement",
    owner=Owner.CLUSTER,
    prior=0.04,
    summary="the agent that should announce the address is not running or not ready on {name}",
)


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes(FAULT, announcing_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {AGENT_DOWN.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {AGENT_DOWN.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"get the announcing agent on {suspect.name} running",
        commands=("kubectl get pods -A -o wide | grep -E 'calico-node|speaker|cilium|kube-vip'",),
    )
