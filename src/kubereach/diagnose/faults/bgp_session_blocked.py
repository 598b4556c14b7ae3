"""The BGP session is not established: no TCP connection to the peer.

What happens   TCP port 179 is filtered on the way, the peer is unreachable, or the router has no neighbour entry
               for this node's address. The node's routes do not reach the router.
How it looks   The router lacks the node's routes; BIRD shows Connect or Active with a Socket error; with Calico's
               mesh off the node's calico-node is not ready.
Confirm        the router's list of sessions; `birdcl show protocols all` on the node
Fix            add the neighbour on the router, open TCP 179 both ways, or give the node a way to the peer
Not to be confused with  bgp-rejected-by-peer (a NOTIFICATION comes back), bgp-authentication (silence as well)
References     RFC 4271 section 8; BIRD 1.6 and 2.0 proto/bgp; Calico node/pkg/health/health.go
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.diagnose.sessions import broken, mended, session_suspects
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="bgp-session-blocked",
    class_="ann-bgp-session-blocked",
    layer="announcement-bgp",
    owner=Owner.NETWORK,
    prior=Chance(
        0.05, "the commonest single trouble of BGP: a filter on 179, or a router that was never told of this node"
    ),
    summary="no TCP connection comes about between the BGP speaker on {name} and the router",
)
EVERYWHERE = Chance(0.03, "at all nodes at once: they are configured alike")


def suspects(world: World) -> Iterable[Suspect]:
    return session_suspects(world, FAULT, EVERYWHERE)


def apply(world: World, suspect: Suspect) -> Changes:
    return broken(world, suspect, "blocked")


def remove(world: World, suspect: Suspect) -> Changes:
    return mended(world, suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"bring up the BGP session between {suspect.name} and the router",
        commands=(
            f"on the router: is there a neighbour entry for {suspect.name}'s address, and which state has it?",
            f"on {suspect.name}: nc -vz ROUTER 179",
        ),
    )
