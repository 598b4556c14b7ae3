"""The peer sends a NOTIFICATION.

What happens   The remote AS number differs, the peer is shut down administratively, or it rejects the OPEN for
               another reason.
How it looks   BIRD shows `Received: Bad peer AS` or `Received: Administrative shutdown`; FRR shows Idle (Admin)
Confirm        `birdcl show protocols all` on the node; the router's log
Fix            make the AS numbers of both sides agree; enable the peer
Not to be confused with  bgp-session-blocked (no TCP connection at all)
References     RFC 4271 section 6, RFC 4486
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import doubt
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.diagnose.sessions import broken, mended, raised_together, session_suspects
from kubereach.model.attribute import PEER_AS_DOUBT
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="bgp-rejected-by-peer",
    class_="ann-bgp-rejected-by-peer",
    layer="announcement-bgp",
    owner=Owner.NETWORK,
    prior=Chance(0.016, "a wrong AS number is the commonest slip of a first peering after a peer that is missing"),
    summary="the router refuses the session with {name} by a NOTIFICATION",
)
EVERYWHERE = Chance(0.02, "at all nodes at once: they are configured alike")
AT_ONE = Chance(0.008, "at one node alone: the router treats most nodes alike")
DIFFERING = Chance(0.6, "where the AS numbers of both sides are seen to differ")


def suspects(world: World) -> Iterable[Suspect]:
    usual = tuple(session_suspects(world, FAULT, EVERYWHERE, AT_ONE))
    says = doubt(world, "router", PEER_AS_DOUBT)
    if not says:
        return usual
    because = tuple((origin, says) for origin in world.network.origins("router", PEER_AS_DOUBT)[:1])
    return raised_together(usual, DIFFERING, because)


def apply(world: World, suspect: Suspect) -> Changes:
    return broken(world, suspect, "rejected")


def remove(world: World, suspect: Suspect) -> Changes:
    return mended(world, suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="make the router accept the session: AS numbers of both sides, peer enabled",
        commands=("on the router: compare remote-as with the cluster's AS number; is the peer disabled?",),
    )
