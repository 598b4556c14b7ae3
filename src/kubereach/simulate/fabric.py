"""From the entry node to a pod on another node."""

from __future__ import annotations

from kubereach.model.attribute import (
    AGENT_DOWN,
    ANNOUNCER,
    DEFAULT_DOUBT,
    ENCAPSULATION,
    EXPORT_FILTERS,
    IMPORT_POLICY,
    MESH,
    NOBODY_ANNOUNCES,
    NOT_INSTALLED,
    PEERS,
    POD_ROUTE_BROKEN,
    TUNNEL_BLOCKED,
)
from kubereach.simulate.bgp import session_up
from kubereach.simulate.world import World


def no_pod_route(world: World, node: str, other: str) -> str:
    """Why `node` has no route to the pods of `other`, or "".

    Without the mesh nobody tells a node of another's block unless Felix does it for VXLAN (calico.md section 5).
    Re-advertisement by the router fails on the nodes' own AS number in the path.
    """
    if _by_the_router(world, node, other):
        return ""
    if world.get(node, POD_ROUTE_BROKEN) or world.get(other, POD_ROUTE_BROKEN):
        return "the pod network has no working route between the nodes"
    tunnelled = world.get("cluster", ENCAPSULATION) == "vxlan"
    silent = next((n for n in (node, other) if world.get(n, AGENT_DOWN)), "")
    if not tunnelled and silent and world.get("cluster", ANNOUNCER) == "calico-bgp":
        return f"without VXLAN the pods' routes come over BGP, and {silent.removeprefix('node/')} speaks none"
    if not tunnelled and not world.get("cluster", MESH):
        return "mesh off and no VXLAN: nobody tells the node where the other's pods are"
    return ""


def _by_the_router(world: World, node: str, other: str) -> bool:
    """Whether the router takes pods' packets from node to node: Calico tells it every block that no filter rejects.

    A node without a route of its own sends them to its default gateway; where that is seen to be the router, it has the
    blocks over BGP.
    """
    if not world.known(node, DEFAULT_DOUBT) or world.get(node, DEFAULT_DOUBT):
        return False
    if world.get("cluster", ANNOUNCER) != "calico-bgp" or world.known("cluster", EXPORT_FILTERS):
        return False
    told = session_up(world, other) and not world.get("router", NOBODY_ANNOUNCES)
    taken = world.get("router", IMPORT_POLICY) == "accept" and not world.get("router", NOT_INSTALLED)
    return told and taken and world.known("cluster", PEERS)


def lost_between(world: World, node: str, other: str) -> str:
    """Why packets from `node` to a pod on `other` get lost, or ""."""
    if node == other or not other:
        return ""
    if reason := no_pod_route(world, node, other):
        return reason
    if world.get("cluster", ENCAPSULATION) != "none" and world.get(other, TUNNEL_BLOCKED):
        return "encapsulated packets between the nodes are dropped"
    return ""


def tunnel_masquerades(world: World) -> bool:
    """Whether a node's own packets get its tunnel address when they leave by the tunnel (calico.md section 7)."""
    return world.get("cluster", ENCAPSULATION) in {"vxlan", "ipip"}
