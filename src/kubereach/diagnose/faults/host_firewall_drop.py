"""firewalld, ufw or nft rules drop at the node.

What happens   The packet reaches the node and the host's own firewall drops it, before or after translation.
How it looks   a capture on the node sees the SYN and nothing answers; ping may work
Confirm        `nft list ruleset` or `iptables-save -c` on the entry node, counters while trying
Fix            allow the traffic, or switch the host firewall off as the CNI's manual asks
Not to be confused with  router-firewall-drop (the packet does not reach the node)
References     firewalld and Calico requirements
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, everywhere_too, exposed, seen_of
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import HOST_FIREWALL, INPUT_POLICY
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="host-firewall-drop",
    class_="ingress-host-firewall",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=Chance(0.02, "firewalld, ufw or a hardening script on the nodes"),
    summary="a host firewall drops the packets at {name}",
)


ODDS: dict[object, Chance] = {
    "drop": Chance(0.08, "where INPUT's policy is to drop: somebody keeps a firewall there"),
    "accept": Chance(0.008, "where it accepts: rules may still drop"),
}


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    nodes = affected_nodes(world, HOST_FIREWALL, INPUT_POLICY)
    decided = [n for n in nodes if seen_of(world, n, HOST_FIREWALL) == "drop"]
    yield from by_leaf(FAULT, world, decided, HOST_FIREWALL, "the host's rules drop it")
    rest = [n for n in nodes if n not in decided]
    yield from exposed(FAULT, world, rest, INPUT_POLICY, ODDS, "the host has a filter of its own")


def apply(world: World, suspect: Suspect) -> Changes:
    return {HOST_FIREWALL.of(suspect.subject): "drop"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {HOST_FIREWALL.of(suspect.subject): "", HOST_FIREWALL.of("cluster"): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"let the host firewall on {suspect.name} pass the traffic",
        commands=("firewall-cmd --list-all; nft list ruleset; iptables-save -c",),
    )
