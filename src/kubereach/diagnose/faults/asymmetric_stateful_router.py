"""A stateful firewall or router sees one direction only.

What happens   Client and nodes share a segment, the address is reached over the router, and the node answers the
               client directly. The router sees the client's SYN and never the answer, so it takes the client's next
               packet for invalid and drops it.
How it looks   the port is open to nmap, the connection opens and stalls; ping works, since it is no connection
Confirm        the router's drop counter for invalid packets; its connection table shows syn-sent
Fix            nodes in a segment of their own, or exempt the flow from connection tracking on the router
Not to be confused with  mtu-blackhole (small answers pass), no-local-endpoint-policy (no handshake)
References     Linux nf_conntrack_proto_tcp.c; MikroTik default firewall; RFC 1812 section 5.2.7.2
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import by_leaf
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import DROPS_INVALID, ROUTED, SHARED_LAN
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="asymmetric-stateful-router",
    class_="return-asymmetric-stateful-firewall",
    layer="return-path",
    owner=Owner.NETWORK,
    prior=Chance(
        0.15, "most home and office firewalls drop invalid packets; asked only about the triangle that meets them"
    ),
    summary="the router may drop connections of which it sees only one direction",
)
# Routers whose default firewall drops invalid packets.
STRICT = frozenset({"mikrotik", "routeros", "pfsense", "opnsense"})
STRICT_PRIOR = Chance(0.3, "where the router is one whose default firewall drops invalid packets")


def suspects(world: World) -> Iterable[Suspect]:
    if not (world.get("client", ROUTED) and world.get("client", SHARED_LAN)):
        return ()
    network = world.network
    because = tuple(
        (origin, "client and nodes share a segment, and the way there passes the router")
        for origin in network.origins("client", SHARED_LAN)[:1]
    )
    prior = STRICT_PRIOR if network.stack & STRICT else None
    if world.network.seen("router", DROPS_INVALID) is not None:
        return by_leaf(FAULT, world, ("router",), DROPS_INVALID, "its rules drop packets of which it saw no beginning")
    return (Suspect(fault=FAULT, subject="router", prior=prior, because=because),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {DROPS_INVALID.of("router"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {DROPS_INVALID.of("router"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="let the router pass the flow without tracking it, or give the nodes a segment of their own",
        commands=("RouterOS: /ip firewall raw add chain=prerouting dst-address=POOL action=notrack",),
        side_effects=("untracked traffic passes the router's stateful rules unchecked",),
    )
