"""Session state is out of step after a failover or restart.

What happens   A failover drops the TCP state without a reset, or graceful restart keeps routes of a speaker that
               is gone, until timers run out.
How it looks   it heals by itself after the hold or restart time; routes marked stale
Confirm        when it began, against failover and restart times; `show ip bgp` status S
Fix            shorten hold and restart timers, use BFD, clear the session
Not to be confused with  bgp-session-flapping (it does not stay)
References     RFC 4724
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.diagnose.sessions import broken, mended, session_suspects
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="bgp-session-stale",
    class_="ann-bgp-session-stale",
    layer="announcement-bgp",
    owner=Owner.NETWORK,
    prior=Chance(0.006, "takes a failover or restart that one side missed"),
    summary="the session between {name} and the router is out of step after a failover or restart",
)
EVERYWHERE = Chance(0.008, "at all nodes at once: the router restarted")


def suspects(world: World) -> Iterable[Suspect]:
    return session_suspects(world, FAULT, EVERYWHERE)


def apply(world: World, suspect: Suspect) -> Changes:
    return broken(world, suspect, "stale", ("graceful-restart",))


def remove(world: World, suspect: Suspect) -> Changes:
    return mended(world, suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="clear the session; shorten hold and graceful-restart times",
        commands=("on the router: clear the BGP session with the node",),
    )
