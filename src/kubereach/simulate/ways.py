"""The ways from the client to an entry node: its own route, the router, ARP on the segment."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from kubereach.model import attribute as a
from kubereach.simulate.arp import responders
from kubereach.simulate.bgp import Learned, best, heals, spreads
from kubereach.simulate.fate import Fate, Packet, Step
from kubereach.simulate.proxy import own_node
from kubereach.simulate.redirects import redirected
from kubereach.simulate.world import World


class Way(Struct, frozen=True):
    """A way as far as the entry node, or as far as it gets."""

    weight: float
    node: str
    steps: tuple[Step, ...]
    fate: Fate | None = None
    why: str = ""
    at: str = ""


def _at_client(world: World, service: str, packet: Packet) -> Way | None:
    """What keeps packets from leaving the client in the right direction.

    The service is used by its name; a ping of the address and a try of another port name the address itself.
    """
    for subject, leaf, fate, why in (
        (service, a.UNUSABLE_ADDRESS, Fate.NO_ROUTE, "no host can use the address"),
        ("client", a.NAME_ELSEWHERE, Fate.LOST, "the name the client uses leads elsewhere"),
        ("client", a.CLIENT_ROUTE_WRONG, Fate.LOST, "the client sends it elsewhere"),
    ):
        if world.get(subject, leaf) and (packet.port or leaf is not a.NAME_ELSEWHERE):
            return Way(1.0, "", (), fate, why, "client")
    return None


def ways(world: World, service: str, packet: Packet) -> tuple[list[Way], bool]:
    """The ways to an entry node; whether they exist side by side."""
    owner = own_node(world, service, packet.address)
    lost = _at_client(world, service, packet) if not owner or packet.address == world.network.flow.address else None
    if lost:
        return [lost], False
    if owner:
        return [Way(1.0, owner, (Step("route", packet.source, "it goes to the node's own address"),))], False
    if not world.get("client", a.ROUTED) or world.get("client", a.CLIENT_ONLINK):
        start = Step("resolve-neighbour", "client", f"the client asks its segment for {packet.address}")
        return _by_arp(world, service, packet, (start,), "client")
    start = Step("route", "client", "the client sends it to its gateway", keys=(a.ROUTED.of("client"),))
    filtered = not redirected(world)  # whom a redirect tells the way meets the router once, and its rules no more
    if filtered and world.get("router", a.ROUTER_FIREWALL):
        return _dropped(world, service, packet, start)
    if filtered and world.get("router", a.ROUTER_NAT) == "destination":
        return _rewritten(world, service, packet, start)
    return _routed(world, service, packet, start)


def _dropped(world: World, service: str, packet: Packet, start: Step) -> tuple[list[Way], bool]:
    """A rule against the address, which many write for one protocol alone."""
    share = 1.0 if packet.port is not None else 0.6
    lost = Way(share, "", (start,), Fate.LOST, "the router's firewall drops it", "router")
    if share == 1.0:
        return [lost], False
    spared, together = _routed(world, service, packet, start)
    return [lost, *(replace(w, weight=w.weight * (1 - share)) for w in spared)], together


# What becomes of a connection that is sent to the wrong place: the host there is silent, gone, or refuses.
_ASTRAY = ((Fate.LOST, 0.5), (Fate.UNREACHABLE, 0.25), (Fate.REFUSED, 0.25))


def _rewritten(world: World, service: str, packet: Packet, start: Step) -> tuple[list[Way], bool]:
    """NAT on the router: a rule for the service's port, or for the whole address, which nobody knows."""
    why = "the router rewrites the flow"
    share = 1.0 if packet.port == world.network.flow.port else 0.2  # most rules name a port
    lost = [Way(share * p, "", (start,), fate, why, "router") for fate, p in _ASTRAY]
    if share == 1.0:
        return lost, False
    spared, together = _routed(world, service, packet, start)
    return [*lost, *(replace(w, weight=w.weight * (1 - share)) for w in spared)], together


def _routed(world: World, service: str, packet: Packet, start: Step) -> tuple[list[Way], bool]:
    """The ways that the router's routes give; with and without those of a session that comes and goes."""
    routes = best(world, service, packet.address)
    passing = [node for node in world.network.nodes if world.get(node, a.SESSION_FAULT) == "flapping"]
    if passing:
        inner = world.changed({a.SESSION_FAULT.of(node): "" for node in passing})
        outer = world.changed({a.SESSION_WAY.of("cluster"): "flapping:down"})
        up, routes = best(inner, service, packet.address), best(outer, service, packet.address)
        world.reads |= inner.reads | outer.reads
        if up and up != routes:
            lost = Way(1.0, "", (start,), Fate.NO_ROUTE, "at times the router has no route to the address", "router")
            by_turns = [*_by_routes(world, up, start), *(_by_routes(world, routes, start) or [lost])]
            return [replace(way, weight=way.weight / 2) for way in by_turns], True
    if not routes:
        return _without_route(world, service, packet, start)
    return _by_routes(world, routes, start), len(routes) > 1 and spreads(world)


def _by_routes(world: World, routes: tuple[Learned, ...], start: Step) -> list[Way]:
    ways: list[Way] = []
    for route in routes:
        says = f"the router's best route is {route.prefix} via {route.node.removeprefix('node/')}"
        step = Step("route", "router", says + (" (static)" if route.static else ""))
        if route.node in world.network.nodes:
            ways.append(Way(1 / len(routes), route.node, (start, step)))
        else:
            why = f"the next hop {route.node} is no node of the cluster"
            share = 1 / len(routes)
            ways += [Way(share * p, "", (start, step), fate, why, "router") for fate, p in _ASTRAY]
    return ways


def _without_route(world: World, service: str, packet: Packet, start: Step) -> tuple[list[Way], bool]:
    """What a router does that has no route to the address of its own."""
    announcer = world.get("cluster", a.ANNOUNCER)
    if announcer.endswith(("-l2", "-arp")) or announcer == "klipper":
        if world.get(service, a.POOL_OFFLINK):
            why = "the address is in no subnet of the segment, so nobody asks for it there"
            return [Way(1.0, "", (start,), Fate.NO_ROUTE, why, "router")], False
        asks = Step("resolve-neighbour", "router", f"the router asks the nodes' segment for {packet.address}")
        return _by_arp(world, service, packet, (start, asks), "router")
    if heals(world):
        why = "the session that carries the route comes and goes, or heals after a while"
        return [Way(1.0, "", (start,), Fate.SOMETIMES, why, "router")], False
    return [Way(1.0, "", (start,), Fate.NO_ROUTE, "the router has no route to the address", "router")], False


_AWAY = 0.4  # how often an address that is held by turns is nobody's, or entries still lead to its last owner
_MOVING = 0.3  # how often a connection meets a change of the entry, where several hosts answer


def _by_arp(world: World, service: str, packet: Packet, steps: tuple[Step, ...], asker: str) -> tuple[list[Way], bool]:
    nodes = responders(world, service, packet.address)
    stale, foreign = _stale(world, nodes), world.get(service, a.ADDRESS_TAKEN)
    if stale:
        why = f"a neighbour or forwarding entry still leads to {stale.removeprefix('node/')}"
        if world.get("segment", a.STALE_NEIGHBOUR):
            return [Way(1.0, stale, steps, Fate.SOMETIMES, why, stale)], False
        # Its old holder runs on and drops it, or is gone altogether.
        ends = ((stale, stale), ("", asker))
        return [Way(0.5, node, steps, Fate.LOST, why, at) for node, at in ends], False
    if not nodes and not foreign:
        return [Way(1.0, "", steps, Fate.NO_NEIGHBOUR, "nobody answers for the address", asker)], False
    if world.get(service, a.HELD_BY_TURNS):
        why = "the nodes depose each other, and entries lead to one that no longer holds the address"
        held = [Way((1 - _AWAY) / len(nodes), node, steps) for node in nodes]
        return [*held, Way(_AWAY, "", steps, Fate.LOST, why, asker)], True
    share = 1 / (len(nodes) + bool(foreign))
    ways = []
    for node in nodes:
        step = Step("resolve-neighbour", asker, f"{node.removeprefix('node/')} answers for it")
        ways.append(Way(share, node, (*steps, step)))
    if foreign:
        ways.append(Way(share, "", steps, Fate.HOST, f"another owner answers: {foreign}", asker))
    if len(ways) > 1:
        why = "neighbour entries move between the owners, and what is under way breaks"
        ways = [replace(w, weight=w.weight * (1 - _MOVING)) for w in ways]
        ways.append(Way(_MOVING, "", steps, Fate.SOMETIMES, why, asker))
    return ways, len(ways) > 1


def _stale(world: World, holders: tuple[str, ...]) -> str:
    """The node that stale entries lead to: one that does not hold the address; "" without such entries."""
    if not world.get("router", a.STALE_NEIGHBOUR) and not world.get("segment", a.STALE_NEIGHBOUR):
        return ""
    return next((n for n in world.network.nodes if n not in holders), "the wrong host")
