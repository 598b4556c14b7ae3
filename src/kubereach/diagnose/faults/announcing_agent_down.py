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

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import tells
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect, announcing_nodes, on_nodes
from kubereach.model.attribute import AGENT_DOWN, NO_AGENT_RUNS
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="announcing-agent-down",
    class_="ann-node-agent-down",
    layer="announcement",
    owner=Owner.CLUSTER,
    prior=Chance(
        0.04, "agents crash, or stay unready, more often than anything that is configured once; any node can have it"
    ),
    summary="the agent that should announce the address is not running or not ready on {name}",
)

EVERYWHERE = Chance(0.012, "on all nodes at once: one DaemonSet has one image and one configuration; estimate")


def suspects(world: World) -> Iterable[Suspect]:
    reason = world.network.seen("cluster", NO_AGENT_RUNS)
    if reason and any(world.get(node, AGENT_DOWN) for node in world.network.nodes):
        where = world.network.origins("cluster", NO_AGENT_RUNS)
        because = tuple((o, f"none of the agents' pods runs: {reason}") for o in where[:2])
        return (Suspect(fault=FAULT, subject="cluster", presence=Presence.PRESENT, because=because),)
    together = on_nodes(FAULT, ("cluster",), EVERYWHERE) if len(world.network.nodes) > 1 else ()
    return (*on_nodes(FAULT, announcing_nodes(world)), *together)


def _nodes(world: World, suspect: Suspect) -> tuple[str, ...]:
    return world.network.nodes if suspect.subject == "cluster" else (suspect.subject,)


def apply(world: World, suspect: Suspect) -> Changes:
    down: Changes = {AGENT_DOWN.of(node): True for node in _nodes(world, suspect)}
    return {**down, **tells(world, "Failed", "BackOff", "FailedMount")}


def remove(world: World, suspect: Suspect) -> Changes:
    return {AGENT_DOWN.of(node): False for node in _nodes(world, suspect)}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"get the announcing agent on {suspect.name} running",
        commands=("kubectl get pods -A -o wide | grep -E 'calico-node|speaker|cilium|kube-vip'",),
    )
