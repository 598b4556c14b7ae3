"""firewalld or nft rules reject at the node.

What happens   The host firewall answers with ICMP host or administratively prohibited.
How it looks   `No route to host` at once although ping works; nmap --reason says host-prohibited
Confirm        `nmap --reason`, or tcpdump for ICMP unreachable on the client
Fix            allow the traffic on the node
Not to be confused with  a missing route (no ICMP error comes from the node)
References     firewalld; RFC 1812 section 5.2.7.1
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes, on_nodes
from kubereach.model.attribute import HOST_FIREWALL
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="host-firewall-reject",
    class_="ingress-host-firewall",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=0.012,
    summary="a host firewall rejects the packets at {name}",
)


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes(FAULT, entry_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {HOST_FIREWALL.of(suspect.subject): "reject"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {HOST_FIREWALL.of(suspect.subject): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"let the host firewall on {suspect.name} pass the traffic",
        commands=("firewall-cmd --list-all; nft list ruleset",),
    )
