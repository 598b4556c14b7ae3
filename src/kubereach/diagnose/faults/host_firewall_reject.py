"""firewalld, ufw or nft rules reject at the node.

What happens   The packet reaches the node and the host's own firewall rejects it with an ICMP host or administratively
               prohibited.
How it looks   `No route to host` at once although ping works; nmap --reason says host-prohibited; a capture shows an
               ICMP unreachable leaving the node, with the service's or the node's address as its source
Confirm        `nft list ruleset` or `iptables-save -c` on the entry node, counters while trying
Fix            allow the traffic, or switch the host firewall off as the CNI's manual asks
Not to be confused with  a missing route (no ICMP error from the node), pod-not-listening (a reset, no ICMP error)
References     firewalld and Calico requirements; RFC 1812 section 5.2.7.1
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
    code="host-firewall-reject",
    class_="ingress-host-firewall",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=Chance(0.012, "firewalld, which rejects by default, is on by default on RHEL and its kin alone"),
    summary="a host firewall rejects the packets at {name}",
)


ODDS: dict[object, Chance] = {
    "reject": Chance(0.1, "where INPUT rejects what nothing admits: firewalld at work"),
    "accept": Chance(0.005, "where it accepts: rules may still reject"),
}


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    nodes = affected_nodes(world, HOST_FIREWALL, INPUT_POLICY)
    decided = [n for n in nodes if seen_of(world, n, HOST_FIREWALL) == "reject"]
    yield from by_leaf(FAULT, world, decided, HOST_FIREWALL, "the host's rules reject it")
    rest = [n for n in nodes if n not in decided]
    yield from exposed(FAULT, world, rest, INPUT_POLICY, ODDS, "the host has a filter of its own")


def apply(world: World, suspect: Suspect) -> Changes:
    return {HOST_FIREWALL.of(suspect.subject): "reject"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {HOST_FIREWALL.of(suspect.subject): "", HOST_FIREWALL.of("cluster"): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"let the host firewall on {suspect.name} pass the traffic",
        commands=("firewall-cmd --list-all; nft list ruleset; iptables-save -c",),
    )
