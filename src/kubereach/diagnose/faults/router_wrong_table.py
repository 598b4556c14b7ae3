"""The route is in another VRF or routing table than the packet.

What happens   The sessions run in one VRF, routing instance or policy table, and the clients' packets are looked up in
               another.
How it looks   the router shows the route, and its own look-up for the packet's interface finds none
Confirm        the route in the table of the client's interface (`show ip route vrf NAME ADDRESS`, `ip rule`, `ip route
               get ADDRESS iif IF`)
Fix            leak the prefix between the tables, or run the session in the right one
Not to be confused with  other-router-lacks-route (another device meets the packet)
References     Linux ip-rule(8); vendors' VRF manuals
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import by_doubt
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.address import contains, prefix_length
from kubereach.model.attribute import ROUTED, TABLE_DOUBT, WRONG_TABLE
from kubereach.model.diagnosis import Owner
from kubereach.model.fact import Route, RouteListing
from kubereach.model.network import Network
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="router-wrong-table",
    class_="router-wrong-table",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.004, "estimate: few sites of this kind have VRFs or policy tables"),
    summary="the route is in another routing table than the one that the client's packets meet",
)
SHOWN = Chance(0.75, "where the main table is shown not to have what another one has")
SUSPECTED = Chance(0.25, "where several tables are in use")


def suspects(world: World) -> Iterable[Suspect]:
    if not world.get("client", ROUTED):
        return ()
    return (by_doubt(world, FAULT, "router", ("router", TABLE_DOUBT), SHOWN if _missing(world.network) else SUSPECTED),)


def _missing(network: Network) -> bool:
    """Whether another table has the address, and the main one is shown not to."""
    address = network.flow.address
    shown = [f for f in network.observed if isinstance(f, Route | RouteListing) and f.device == "router" and address]
    having = {
        f.table for f in shown if isinstance(f, Route) and prefix_length(f.prefix) > 0 and contains(f.prefix, address)
    }
    whole = [f for f in shown if isinstance(f, RouteListing) and f.complete and not f.protocol and f.table == "main"]
    return bool(having) and "main" not in having and any(not f.prefix or contains(f.prefix, address) for f in whole)


def apply(world: World, suspect: Suspect) -> Changes:
    return {WRONG_TABLE.of("router"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {WRONG_TABLE.of("router"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="bring the route into the table of the clients' interface",
        commands=("show ip route vrf all ADDRESS; ip rule; ip route show table all | grep PREFIX",),
    )
