"""The session comes and goes.

What happens   BFD, the hold timer, restarts or an unstable link take the session down again and again.
How it looks   short uptimes; last errors Hold timer expired or BFD session down
Confirm        the uptime of the session, twice, a minute apart
Fix            find what takes it down: BFD timers, CPU, link
Not to be confused with  bgp-session-blocked (never up)
References     RFC 4271 section 6.5, RFC 5880
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.diagnose.sessions import broken, mended, session_suspects
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="bgp-session-flapping",
    class_="ann-bgp-session-flapping",
    layer="announcement-bgp",
    owner=Owner.NETWORK,
    prior=Chance(0.008, "estimate: sessions in a LAN stay up once they are, unless BFD or restarts disturb them"),
    summary="the session between {name} and the router comes and goes",
)
EVERYWHERE = Chance(0.004, "at all nodes at once: they are configured alike")


def suspects(world: World) -> Iterable[Suspect]:
    return session_suspects(world, FAULT, EVERYWHERE)


def apply(world: World, suspect: Suspect) -> Changes:
    return broken(world, suspect, "flapping")


def remove(world: World, suspect: Suspect) -> Changes:
    return mended(world, suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="find what takes the session down: BFD, hold timer, link",
        commands=("birdcl show protocols all   # Since, Hold timer, last error",),
    )
