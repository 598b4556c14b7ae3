"""The packet's walk: from a source to the service's address over every branch, and back.

A walk ends in one of a closed set of fates. Branches that exist at the same time (equal-cost routes, several ARP
responders) make success intermittent; branches of which one holds, but which is not known, make it uncertain.
"""

from __future__ import annotations

from kubereach.model.attribute import ADDRESS_FLIPS, ANNOUNCER
from kubereach.simulate.announced import given
from kubereach.simulate.delivery import FULL, STALE, at_node, closed, denied, on_node
from kubereach.simulate.fate import PARTLY, UNKNOWN_SOURCE, WORKS, Branch, Fate, Packet, Step, Walk
from kubereach.simulate.inside import inside, taken_inside
from kubereach.simulate.proxy import Aim, aim, own_node
from kubereach.simulate.redirects import bypasses_router
from kubereach.simulate.ways import Way, ways
from kubereach.simulate.world import World

__all__ = [
    "PARTLY",
    "UNKNOWN_SOURCE",
    "WORKS",
    "Branch",
    "Fate",
    "Packet",
    "Step",
    "Walk",
    "bypasses_router",
    "closed",
    "denied",
    "on_node",
    "walk",
    "walk_via",
]


def walk(world: World, service: str, packet: Packet) -> Walk:
    """Walk a packet to `service` and its answer back. Cached per world."""
    name = ("walk", service, packet)
    if (found := world.cached(name)) is not None:
        return found  # type: ignore[return-value]  # stored below
    before = world.start()
    owner = own_node(world, service, packet.address)
    if taken_inside(world, service, packet):
        why = "in IPVS mode each node takes the address, which is another node's, for its own"
        result = Walk((Branch(1.0, Fate.UNREACHABLE, packet.source, why),))
    elif not owner and not given(world, service) and aim(world, service, packet.address) is Aim.EXTERNAL:
        result = Walk((Branch(1.0, Fate.NO_ROUTE, packet.source, "the service was given no address"),))
    elif packet.source == "client" and world.get(service, ADDRESS_FLIPS):
        why = "the address is the service's by turns only, and announced no longer than that"
        result = Walk((Branch(0.7, Fate.SOMETIMES, "client", why), Branch(0.3, Fate.LOST, "client", why)))
    elif packet.source == "client" or (owner and owner != packet.source and not _caught(world)):
        result = _outside(world, service, packet)
    else:
        result = inside(world, service, packet)
    world.keep(name, result, before)
    return result


def _caught(world: World) -> bool:
    """Whether kube-proxy on every node catches a node's own address, since ServiceLB gave it to the service."""
    return world.get("cluster", ANNOUNCER) == "klipper"


def walk_via(world: World, service: str, packet: Packet, node: str) -> Walk:
    """Like `walk`, for a packet that something leads to `node`, whoever announces the address. Cached per world."""
    name = ("walk via", service, packet, node)
    if (found := world.cached(name)) is not None:
        return found  # type: ignore[return-value]  # stored below
    before = world.start()
    if given(world, service) or aim(world, service, packet.address) is not Aim.EXTERNAL:
        step = Step("route", packet.source, f"it is led to {node.removeprefix('node/')}")
        branches = at_node(world, service, packet, Way(1.0, node, (step,)))
        result = Walk(tuple(branches), together=len({b.fate in WORKS for b in branches}) > 1)
    else:
        result = Walk((Branch(1.0, Fate.NO_ROUTE, packet.source, "the service was given no address"),))
    world.keep(name, result, before)
    return result


def _outside(world: World, service: str, packet: Packet) -> Walk:
    found_ways, together = ways(world, service, packet)
    branches: list[Branch] = []
    for way in found_ways:
        if way.fate is not None:
            branches.append(Branch(way.weight, way.fate, way.at, way.why, way.node, forward=way.steps))
        else:
            found = at_node(world, service, packet, way)
            together = together or len({b.fate in WORKS for b in found}) > 1  # each connection gets another endpoint
            branches += found
    partly = any(b.why in {FULL, STALE} for b in branches)
    return Walk(tuple(branches), together=together or partly)
