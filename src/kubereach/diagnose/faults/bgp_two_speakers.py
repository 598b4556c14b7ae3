"""Two BGP daemons compete on one node.

What happens   Another daemon of the host holds TCP 179, or a second speaker (MetalLB beside Calico) opens a
               session from the same address, which the router refuses as a duplicate.
How it looks   BIRD: `Error: No listening socket`; the router drops one of two sessions from one address
Confirm        `ss -tlnp sport = :179` on the node
Fix            let one daemon speak BGP; give the other another address or peer
Not to be confused with  bgp-session-blocked (only one speaker)
References     RFC 4271 section 6.8; MetalLB documentation on Calico
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.diagnose.sessions import broken, mended, session_suspects
from kubereach.model.attribute import ANNOUNCER
from kubereach.model.diagnosis import Owner
from kubereach.model.fact import BgpSession
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="bgp-two-speakers",
    class_="ann-bgp-two-speakers",
    layer="announcement-bgp",
    owner=Owner.CLUSTER,
    prior=Chance(0.008, "takes a second BGP daemon on the node"),
    summary="two BGP daemons on {name} compete for the peer or for TCP port 179",
)
TWO_KNOWN = Chance(0.08, "where Calico's BIRD has peers outside the cluster, and another product's daemon announces")
EVERYWHERE = Chance(0.01, "at all nodes at once: they are configured alike")


def suspects(world: World) -> Iterable[Suspect]:
    network = world.network
    peering = any(isinstance(f, BgpSession) and f.peer_type in {"global", "node specific"} for f in network.observed)
    if peering and world.get("cluster", ANNOUNCER) in {"metallb-bgp", "kube-vip-bgp", "cilium-bgp"}:
        return session_suspects(world, FAULT, TWO_KNOWN, TWO_KNOWN)
    return session_suspects(world, FAULT, EVERYWHERE)


def apply(world: World, suspect: Suspect) -> Changes:
    return broken(world, suspect, "two-speakers", ("address-in-use",))


def remove(world: World, suspect: Suspect) -> Changes:
    return mended(world, suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"let only one BGP daemon on {suspect.name} talk to the router",
        commands=("ss -tlnp 'sport = :179'",),
    )
