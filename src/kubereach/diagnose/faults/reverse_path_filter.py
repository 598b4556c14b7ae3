"""The strict reverse-path filter drops the client's packet.

What happens   The node's best route back to the client leaves by another interface, and rp_filter=1 drops the
               packet before any rule counts it. In force is the larger of `all` and the interface's value.
How it looks   a capture on the node sees the SYN, no rule counts it, TcpExtIPReversePathFilter rises
Confirm        `nstat -az TcpExtIPReversePathFilter` while trying; `ip route get SERVICE from CLIENT iif INTERFACE`
Fix            rp_filter=2, or a symmetric route
Not to be confused with  host-firewall-drop (a rule counts the packet)
References     Linux fib_frontend.c __fib_validate_source; RFC 3704
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, everywhere_too, exposed, seen_of, tells
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import REVERSE_PATH, RP_FILTER_DROP
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="reverse-path-filter",
    class_="ingress-rp-filter-strict",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=Chance(0.012, "RHEL and its kin have it strict, and it takes a second interface to hurt"),
    summary="the reverse-path filter on {name} drops the packets",
)


ODDS: dict[object, Chance] = {
    1: Chance(0.12, "where the filter is strict: takes a way back by another interface"),
    0: Chance(0.0, "where it is off"),
    2: Chance(0.002, "where it is loose: drops only sources without any route"),
}


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    nodes = affected_nodes(world, RP_FILTER_DROP, REVERSE_PATH)
    decided = [n for n in nodes if seen_of(world, n, RP_FILTER_DROP)]
    yield from by_leaf(FAULT, world, decided, RP_FILTER_DROP, "the kernel's own source check fails")
    rest = [n for n in nodes if n not in decided]
    yield from exposed(FAULT, world, rest, REVERSE_PATH, ODDS, "rp_filter as it was shown")


def apply(world: World, suspect: Suspect) -> Changes:
    return {RP_FILTER_DROP.of(suspect.subject): True, **tells(world, "rpfilter-drop")}


def remove(world: World, suspect: Suspect) -> Changes:
    return {RP_FILTER_DROP.of(suspect.subject): False, RP_FILTER_DROP.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"loosen rp_filter on {suspect.name}, or make the route to the client symmetric",
        commands=("sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.INTERFACE.rp_filter=2",),
    )
