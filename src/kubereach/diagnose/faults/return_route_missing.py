"""The node or pod has no right route back.

What happens   The answer leaves towards a gateway that does not know the client, or nowhere.
How it looks   captures see the request and the reply leaving the wrong way; clients of the node's own subnet work
Confirm        `ip route get CLIENT` on the entry node
Fix            give the node a route to the clients' network
Not to be confused with  return-wrong-interface (the route exists, by another interface)
References     RFC 1812 section 5.2.4
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import on_nodes_alike, places
from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes
from kubereach.model.attribute import DEFAULT_DOUBT, NO_ROUTE_BACK, REPLY_OTHER_ROUTER
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="return-route-missing",
    class_="return-no-route-to-client",
    layer="return-path",
    owner=Owner.HOST,
    prior=Chance(0.012, "nodes have a default route, and it mostly leads to the clients"),
    summary="{name} has no right route back to the client",
)
SUSPECTED = Chance(0.2, "where the default route is missing or leads past the router")


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes_alike(world, FAULT, entry_nodes(world), DEFAULT_DOUBT, SUSPECTED)


def apply(world: World, suspect: Suspect) -> Changes:
    """A default route that leads past the delivering router still serves the node's own address."""
    past = any("leads to" in (world.network.seen(node, DEFAULT_DOUBT) or "") for node in places(world, suspect))
    leaf = REPLY_OTHER_ROUTER if past else NO_ROUTE_BACK
    return {leaf.of(node): True for node in places(world, suspect)}


def remove(world: World, suspect: Suspect) -> Changes:
    return {leaf.of(node): False for node in places(world, suspect) for leaf in (NO_ROUTE_BACK, REPLY_OTHER_ROUTER)}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"give {suspect.name} a route back to the client",
        commands=("ip route get CLIENT",),
    )
