"""MD5, TCP-AO or TTL security differs.

What happens   The kernel discards segments with a wrong or missing signature in silence, or the TTL check does.
How it looks   Connect on both sides without any error text; the kernel counts TCPMD5 failures
Confirm        `nstat -az | grep -i md5` on the node while it tries
Fix            set the same password, and the same ttl-security, on both ends
Not to be confused with  bgp-session-blocked (a filter on the way looks the same from outside)
References     RFC 2385, RFC 5082
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import doubt
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.diagnose.sessions import broken, mended, raised_together, session_suspects
from kubereach.model.attribute import PEER_AUTH_DOUBT
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="bgp-authentication",
    class_="ann-bgp-session-auth",
    layer="announcement-bgp",
    owner=Owner.NETWORK,
    prior=Chance(0.008, "estimate: few peerings in a LAN have a password at all"),
    summary="the password or TTL security of the session between {name} and the router differs",
)
EVERYWHERE = Chance(0.01, "at all nodes at once: they are configured alike")
AT_ONE = Chance(0.004, "at one node alone: its secret is everybody's")
ONE_SIDED = Chance(0.5, "where one side has a password and the other has none")


def suspects(world: World) -> Iterable[Suspect]:
    usual = tuple(session_suspects(world, FAULT, EVERYWHERE, AT_ONE))
    says = doubt(world, "router", PEER_AUTH_DOUBT)
    if not says:
        return usual
    because = tuple((origin, says) for origin in world.network.origins("router", PEER_AUTH_DOUBT)[:1])
    return raised_together(usual, ONE_SIDED, because)


def apply(world: World, suspect: Suspect) -> Changes:
    return broken(world, suspect, "auth", ("md5-mismatch",))


def remove(world: World, suspect: Suspect) -> Changes:
    return mended(world, suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="set the same BGP password and TTL security on both ends",
        commands=("nstat -az | grep -iE 'md5|tcpao'",),
    )
