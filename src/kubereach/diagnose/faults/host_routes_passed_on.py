"""Nodes without an endpoint pass on the host route that they learned from the node with one.

What happens   With the mesh (or a reflector) and an eBGP peer outside, a node that learns another node's host route
               over iBGP exports it to the router with itself as next hop. Under policy Local it cannot deliver what it
               then gets.
How it looks   the router has the host route from every node, with equal AS paths; part of the connections is lost, or
               arrives with another source
Confirm        the next hops of the host route at the router, against the nodes with a ready endpoint
Fix            keepOriginalNextHop (nextHopMode Keep) on the BGPPeer, a BGPFilter that rejects source RemotePeers, or
               the mesh off
Not to be confused with  aggregate-alone (no host route at all)
References     Calico confd bird templates: calico_export_to_bgp_peers tests the prefix only
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect
from kubereach.model.attribute import ANNOUNCER, MESH, PEERS, POLICY, RELAYED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="host-routes-passed-on",
    class_="ann-from-node-without-endpoint",
    layer="announcement",
    owner=Owner.CLUSTER,
    prior=Chance(0.03, "takes mesh and outside peers at once, and then it is the default (Calico)"),
    summary="nodes without an endpoint pass on the host route of the node with one, with themselves as next hop",
)


def suspects(world: World) -> Iterable[Suspect]:
    service = world.network.flow.service
    if world.get("cluster", ANNOUNCER) != "calico-bgp" or world.get(service, POLICY) != "Local":
        return
    peers = world.network.seen("cluster", PEERS) or ()
    where = world.network.origins("cluster", PEERS)[:1]
    if world.get("cluster", RELAYED):
        because = tuple((o, "an eBGP peer beside the mesh, without keepOriginalNextHop") for o in where)
        yield Suspect(fault=FAULT, subject="cluster", presence=Presence.PRESENT, because=because)
    elif world.network.seen("cluster", MESH) is False or (peers and all(p.keep_next_hop for p in peers)):
        return
    else:
        yield Suspect(fault=FAULT, subject="cluster")


def apply(world: World, suspect: Suspect) -> Changes:
    return {RELAYED.of("cluster"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {RELAYED.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="keep the original next hop towards the router",
        commands=('kubectl patch bgppeer NAME --type merge -p \'{"spec":{"keepOriginalNextHop":true}}\'',),
        side_effects=("pod blocks keep their next hop as well",),
    )
