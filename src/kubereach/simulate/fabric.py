"""From the entry node to a pod on another node."""

from __future__ import annotations

from kubereach.model.attribute import (
    ENCAPSULATION,
    MESH,
    POD_ROUTE_BROKEN,
    TUNNEL_BLOCKED,
)
from kubereach.simulate.world import World


def no_pod_route(world: World, node: str, other: str) -> str:
    """Why `node` has no route to the pods of `other`, or "".

    Without the mesh nobody tells a node of another's block unless Felix does it for VXLAN (calico.md section 5).
    Re-advertisement by the router fails on the nodes' own AS number in the path.
    """
    if world.get(node, POD_ROUTE_BROKEN) or world.get(other, POD_ROUTE_BROKEN):
        return "the pod network has no working route between the nodes"
    if world.get("cluster", ENCAPSULATION) != "vxlan" and not world.get("cluster", MESH):
        return "mesh off and no VXLAN: nobody tells the node where the other's pods are"
    return ""


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
