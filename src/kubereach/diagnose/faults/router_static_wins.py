"""A better route hides the one from BGP.

What happens   A static, connected or more specific route for the address points elsewhere and wins by distance or
               length.
How it looks   the BGP route is listed and not active; the active one for the same address has another source or next
               hop
Confirm        all routes of the router that contain the address, with distance and next hop
Fix            remove the other route, or raise its distance
Not to be confused with  route-not-installed (no other route is active)
References     RFC 4271 section 9.1; every vendor's administrative distances
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect, speaks_bgp
from kubereach.model.address import contains, prefix_length
from kubereach.model.attribute import ADDRESS, ROUTED, STATIC_ROUTES, STATIC_WINS
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="router-static-wins",
    class_="router-route-not-installed",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.006, "estimate: remains of earlier attempts"),
    summary="another route on the router wins over the one from BGP and leads elsewhere",
)

NO_NODE_KNOWN = Chance(0.5, "where a static route for the address leads to a host that may be a node or not: estimate")


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world) or not world.get("client", ROUTED) or world.network.seen("router", STATIC_ROUTES) == ():
        return ()
    astray = _astray(world)
    if not astray:
        return (Suspect(fault=FAULT, subject="router"),)
    prefix, via = astray[0]
    because = tuple(
        (o, f"{prefix} via {via}, which is no node") for o in world.network.origins("router", STATIC_ROUTES)[:1]
    )
    known = all(world.network.seen(node, ADDRESS) is not None for node in world.network.nodes)
    presence = Presence.PRESENT if known else Presence.UNKNOWN
    return (Suspect(fault=FAULT, subject="router", presence=presence, prior=NO_NODE_KNOWN, because=because),)


def _astray(world: World) -> list[tuple[str, str]]:
    """Static routes for the address whose next hop is no node of the cluster, the longest first."""
    network = world.network
    routes = network.seen("router", STATIC_ROUTES) or ()
    mine = [r for r in routes if contains(r[0], network.flow.address) and prefix_length(r[0]) > 0]
    mine = [r for r in mine if network.owners.get(r[1]) not in network.nodes]
    return sorted(mine, key=lambda r: -prefix_length(r[0]))


def apply(world: World, suspect: Suspect) -> Changes:
    return {} if suspect.presence is Presence.PRESENT else {STATIC_WINS.of("router"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    kept = tuple(r for r in world.get("router", STATIC_ROUTES) if r not in _astray(world))
    return {STATIC_WINS.of("router"): False, STATIC_ROUTES.of("router"): kept}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="remove the route that wins, or raise its distance",
        commands=(
            "show ip route ADDRESS longer-prefixes; RouterOS: /ip route print detail where ADDRESS in dst-address",
        ),
    )
