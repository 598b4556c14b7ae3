"""The strict reverse-path filter drops the client's packet.

What happens   The node's best route back to the client leaves by another interface, and rp_filter=1 drops the
               packet before any rule counts it.
How it looks   a capture on the node sees the SYN, no rule counts it, TcpExtIPReversePathFilter rises
Confirm        `nstat -az TcpExtIPReversePathFilter` while trying; sysctl net.ipv4.conf.{all,IF}.rp_filter
Fix            rp_filter=2, or a symmetric route
Not to be confused with  host-firewall-drop (a rule counts the packet)
References     Linux fib_frontend.c __fib_validate_source; RFC 3704
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes, on_nodes
from kubereach.model.attribute import RP_FILTER_DROP
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="reverse-path-filter",
    class_="ingress-rp-filter-strict",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=0.015,
    summary="the reverse-path filter on {name} drops the packets",
)


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes(FAULT, entry_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {RP_FILTER_DROP.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {RP_FILTER_DROP.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"loosen rp_filter on {suspect.name}, or make the route to the client symmetric",
        commands=("sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.INTERFACE.rp_filter=2",),
    )
