"""The router has no route, and nobody was meant to announce one to it.

What happens   No peer is configured, the announcer only answers ARP while the pool is behind a router, or a static
               route that was promised is missing.
How it looks   no session in either listing; the router's table lacks the prefix; everything in the cluster is healthy
Confirm        the peers that the cluster configures and the neighbours that the router knows
Fix            configure the peering on both sides, or a static route for the pool to the nodes
Not to be confused with  bgp-session-blocked (a session is configured and does not come up)
References     RFC 4271; Calico BGPPeer; MetalLB BGPPeer
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import by_doubt
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_bgp
from kubereach.model.attribute import LB_CIDRS, NO_PEER_DOUBT, NOBODY_ANNOUNCES, PEERS, ROUTED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="router-no-announcer",
    class_="router-no-route",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.012, "a peer that was never configured, or a promised static route"),
    summary="nobody announces the address to the router, and it has no other route to it",
)
SUSPECTED = Chance(0.3, "where no list of peers holds the router, though the cluster is told to announce")
UNSURE = Chance(0.02, "where it is not known to be told")


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world) or not world.get("client", ROUTED) or world.get("cluster", PEERS):
        return ()
    suspected = SUSPECTED if world.network.seen("cluster", LB_CIDRS) else UNSURE
    return (by_doubt(world, FAULT, "router", ("router", NO_PEER_DOUBT), suspected),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {NOBODY_ANNOUNCES.of("router"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {NOBODY_ANNOUNCES.of("router"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="peer the nodes with the router, or give it a static route to the pool",
        commands=(
            "kubectl get bgppeers -A -o wide",
            "ip route add POOL nexthop via NODE1 nexthop via NODE2   # on the router",
        ),
        side_effects=("a static route does not follow nodes that fail",),
    )
