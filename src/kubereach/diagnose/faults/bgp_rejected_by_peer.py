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

from kubereach.diagnose.fault import Fault, Plan, Suspect, announcing_nodes, on_nodes, speaks_bgp
from kubereach.model.attribute import SESSION_FAULT
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="bgp-rejected-by-peer",
    class_="ann-bgp-rejected-by-peer",
    layer="announcement-bgp",
    owner=Owner.NETWORK,
    prior=0.016,
    summary="the router refuses the session with {name} by a NOTIFICATION",
)


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world):
        return ()
    return on_nodes(FAULT, announcing_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {SESSION_FAULT.of(suspect.subject): "rejected"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {SESSION_FAULT.of(suspect.subject): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="make the router accept the session: AS numbers of both sides, peer enabled",
        commands=("on the router: compare remote-as with the cluster's AS number; is the peer disabled?",),
    )
