"""A firewall that sees half of a flow forgets it, or takes its packets for foreign ones.

What happens   Answers reach the client past the firewall, or by another node than the packets of before. The firewall
               holds a half-open state with a short life; when it ends, or when a packet does not fit it, packets are
               dropped until the client starts anew.
How it looks   most requests work, some hang for seconds or after idling; the firewall logs blocked packets of open
               connections
Confirm        the firewall's log and state table for the client's flow; state time-outs
Fix            one way for both directions (nodes in a segment of their own), sloppy states or no state for the pool
Not to be confused with  asymmetric-stateful-router (every connection stalls after the handshake)
References     pf.conf(5) state options; Linux nf_conntrack timeouts
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import DROPS_INVALID, ROUTED, SHARED_LAN, STATE_EXPIRES
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="one-sided-state-expires",
    class_="return-asymmetric-stateful-firewall",
    layer="return-path",
    owner=Owner.NETWORK,
    prior=Chance(0.005, "estimate: takes a firewall that sees half of the flow"),
    summary="a stateful firewall sees half of the flow and drops some of its packets",
)
# Firewalls that check a connection's state packet by packet. Linux, and RouterOS with it, picks up the middle of one
# (nf_conntrack_tcp_loose) and forgets an established one after days.
STATEFUL = frozenset({"pfsense", "opnsense", "fortigate"})
TRIANGLE_STATEFUL = Chance(0.2, "where client and nodes share a segment and the router is such a firewall")
TRIANGLE = Chance(0.02, "where they share a segment, and the router may be one")
PASSES = Chance(0.002, "where its rules let packets pass that fit no connection")
STATEFUL_ROUTER = Chance(0.05, "where the router is such a firewall")


def suspects(world: World) -> Iterable[Suspect]:
    if not world.get("client", ROUTED):
        return ()
    stateful = bool(world.network.stack & STATEFUL)
    shared = world.get("client", SHARED_LAN)
    prior = (TRIANGLE_STATEFUL if stateful else TRIANGLE) if shared else (STATEFUL_ROUTER if stateful else None)
    because = tuple(
        (origin, "client and nodes share a segment, and the way there passes the router")
        for origin in world.network.origins("client", SHARED_LAN)[:1]
        if shared
    )
    if world.network.seen("router", DROPS_INVALID) is False:
        prior = PASSES
    return (Suspect(fault=FAULT, subject="router", prior=prior, because=because),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {STATE_EXPIRES.of("router"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {STATE_EXPIRES.of("router"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="lead both directions past the firewall, or let it keep sloppy state for the pool",
        commands=("pfSense: rule, Advanced: State type Sloppy, TCP flags any; RouterOS: raw notrack for the pool",),
        side_effects=("the firewall then checks those flows less",),
    )
