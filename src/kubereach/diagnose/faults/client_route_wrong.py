"""The client's mask, route or proxy is wrong.

What happens   A mask that is too wide makes the client ask its segment, a VPN or static route takes the packets another
               way, or a proxy opens the connection in its place.
How it looks   only this client fails, all others reach the service; the nodes see nothing from it
Confirm        `ip route get ADDRESS` and the proxy settings on the client
Fix            correct them there
Not to be confused with  client-onlink-pool (the mask is right and the pool is misplaced)
References     RFC 1122 section 3.3.1; curl's environment variables
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.decided import decided
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import CLIENT_PROXY, CLIENT_ROUTE_WRONG
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="client-route-wrong",
    class_="client-wrong-prefix-or-route",
    layer="client",
    owner=Owner.CLIENT,
    prior=Chance(0.005, "estimate: clients have one default route, and other services prove it right"),
    summary="the client's own mask, route or proxy sends the packets elsewhere",
)
THROUGH_A_PROXY = Chance(0.3, "where the client has a proxy set, or is on a VPN")


def suspects(world: World) -> Iterable[Suspect]:
    proxied = THROUGH_A_PROXY if world.network.seen("client", CLIENT_PROXY) else None
    return decided(world, FAULT, ("client", CLIENT_ROUTE_WRONG), proxied)


def apply(world: World, suspect: Suspect) -> Changes:
    return {CLIENT_ROUTE_WRONG.of("client"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {CLIENT_ROUTE_WRONG.of("client"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="correct the client's mask or route, or exempt the address from the proxy or VPN",
        commands=("ip route get ADDRESS; env | grep -i proxy   # on the client",),
    )
