"""The peer is in another subnet and multihop is missing.

What happens   An eBGP speaker does not even try, or sends with TTL 1, when the peer is not on a connected subnet.
How it looks   Idle or Connect for ever, while a peer in the nodes' own subnet comes up
Confirm        whether the peer's address is in a subnet of the node; ebgpMultiHop on the peer
Fix            set ebgpMultiHop (MetalLB), ebgp-multihop (FRR), multihop=yes (RouterOS) on both ends
Not to be confused with  bgp-session-blocked (the peer is on the same subnet)
References     RFC 4271 section 5.1.3; FRR bgpd neighbor ebgp-multihop
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.diagnose.sessions import broken, mended, raised, raised_together, session_suspects
from kubereach.model.attribute import ANNOUNCER, PEER_MULTIHOP, PEER_ON_LINK
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="bgp-multihop-missing",
    class_="ann-bgp-session-multihop",
    layer="announcement-bgp",
    owner=Owner.NETWORK,
    prior=Chance(0.006, "most nodes share a subnet with their router"),
    summary="the peer of {name} is not directly connected and multihop is not set",
)
EVERYWHERE = Chance(0.012, "at all nodes at once: they are configured alike")
AT_ONE = Chance(0.003, "at one node alone: its subnet would have to differ")
SEEN = Chance(0.5, "where the peer is seen to be out of the nodes' subnets")
ALLOWED = Chance(0.001, "where multihop is seen to be set")


def suspects(world: World) -> Iterable[Suspect]:
    on_link = world.network.seen("router", PEER_ON_LINK)
    if on_link is True or world.get("router", PEER_MULTIHOP):
        return ()  # connected, or multihop is set
    usual = tuple(session_suspects(world, FAULT, EVERYWHERE, AT_ONE))
    if world.get("cluster", ANNOUNCER) == "calico-bgp":
        # BIRD as Calico configures it allows any distance (confd templates: `multihop` on every session).
        return raised(usual, ALLOWED, ())
    if on_link is None:
        return usual
    because = tuple(
        (origin, "the peer is in none of the nodes' subnets")
        for origin in world.network.origins("router", PEER_ON_LINK)
    )
    return raised_together(usual, SEEN, because)


def apply(world: World, suspect: Suspect) -> Changes:
    return broken(world, suspect, "multihop")


def remove(world: World, suspect: Suspect) -> Changes:
    return mended(world, suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="set multihop on both ends of the session",
        commands=("MetalLB: spec.ebgpMultiHop: true; FRR: neighbor ADDRESS ebgp-multihop; RouterOS: multihop=yes",),
    )
