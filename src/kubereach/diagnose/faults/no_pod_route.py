"""The node has no working route to pods on other nodes.

What happens   With Calico's mesh off, no route reflector and no VXLAN, nobody tells a node of another's block; a
               router that re-advertises it fails on the nodes' own AS number in the path.
How it looks   pods on different nodes do not reach each other; a node test of a remote pod fails
Confirm        `ip route get POD` on another node shows the default gateway
Fix            switch the mesh on or peer with reflectors, or use a VXLAN pool
Not to be confused with  encapsulation-blocked (the route is there)
References     Calico confd templates; Felix vxlan_mgr.go; BIRD bgp_as_path_loopy
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect
from kubereach.model.attribute import ENCAPSULATION, MESH, POD_ROUTE_BROKEN
from kubereach.model.diagnosis import Owner
from kubereach.simulate.fabric import no_pod_route
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="no-pod-route",
    class_="fabric-no-pod-route",
    layer="fabric",
    owner=Owner.CLUSTER,
    prior=Chance(
        0.012, "takes Calico without mesh, reflector and VXLAN, or a broken CNI, which pods' own trouble shows sooner"
    ),
    summary="nodes have no route to each other's pods",
    standing=True,
)


def suspects(world: World) -> Iterable[Suspect]:
    nodes = world.network.nodes
    if len(nodes) < 2:
        return ()
    if no_pod_route(world, nodes[0], nodes[1]):
        mesh = world.network.origins("cluster", MESH)[:1]
        pool = world.network.origins("cluster", ENCAPSULATION)[:1]
        encapsulation = f"encapsulation is {world.get('cluster', ENCAPSULATION)}"
        because = (*((o, "the node-to-node mesh is off") for o in mesh), *((o, encapsulation) for o in pool))
        return (Suspect(fault=FAULT, subject="cluster", presence=Presence.PRESENT, because=because),)
    return (Suspect(fault=FAULT, subject="cluster"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {POD_ROUTE_BROKEN.of(node): True for node in world.network.nodes}


def remove(world: World, suspect: Suspect) -> Changes:
    mended: dict[tuple[str, str], object] = {POD_ROUTE_BROKEN.of(node): False for node in world.network.nodes}
    return {**mended, ENCAPSULATION.of("cluster"): "vxlan"}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="give the nodes routes to each other's pods: a VXLAN pool, or the mesh with keepOriginalNextHop",
        commands=("kubectl get ippools -o yaml   # vxlanMode: Always on the pool in use",),
        side_effects=("a tunnel takes 50 bytes of the MTU",),
    )
