"""Clients on the nodes' own segment: answers pass by the router, and after a redirect the requests do so too."""

from __future__ import annotations

from kubereach.model import attribute as a
from kubereach.simulate.world import World


def redirected(world: World) -> bool:
    """Whether the client, told so by an ICMP redirect, sends all but the first packets to the node itself.

    Linux sends the redirect before FORWARD is asked (net/ipv4/ip_forward.c), so that a drop there does not hinder it.
    """
    return bypasses_router(world) and world.get("client", a.OBEYS_REDIRECTS)


def bypasses_router(world: World) -> bool:
    """Whether answers from a node go to the client directly though the client's packets pass the router."""
    return world.get("client", a.ROUTED) and world.get("client", a.SHARED_LAN)
