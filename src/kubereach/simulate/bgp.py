"""BGP sessions between the nodes' speakers and the router, and the routes that arrive over them."""

from __future__ import annotations

from msgspec import Struct

from kubereach.model.address import contains, host_prefix, prefix_length
from kubereach.model.attribute import (
    AGENT_DOWN,
    BAD_NEXT_HOP,
    EXTRA_EXPORT_FILTER,
    IMPORT_POLICY,
    MULTIPATH,
    NOBODY_ANNOUNCES,
    NOT_INSTALLED,
    OTHER_ROUTER,
    PREFERRED,
    SESSION_FAULT,
    SESSION_WAY,
    STATIC_ROUTES,
    STATIC_WINS,
    WRONG_TABLE,
)
from kubereach.simulate.announced import announced
from kubereach.simulate.session import carried, shown, undecided
from kubereach.simulate.world import World

ELSEWHERE = "another next hop"
# Faults of sessions that heal by themselves for a while.
TRANSIENT = frozenset({"flapping", "stale"})


class Learned(Struct, frozen=True):
    """A route at the router: `node` is the next hop's subject, or the bare address when no host owns it."""

    prefix: str
    node: str
    static: bool = False
    usable: bool = True  # False: listed, with a next hop or path that the router cannot use


def session_up(world: World, node: str) -> bool:
    """Whether the node's session with the router is Established."""
    return not world.get(node, AGENT_DOWN) and carried(world, node)


def held(world: World, node: str, *, at_router: bool = False) -> float:
    """How likely one end holds the session with the router for Established; out of step, it is one end alone."""
    if world.get("router", NOBODY_ANNOUNCES):
        return 0.0
    return 1.0 if session_up(world, node) else shown(world, node, at_router=at_router).get("established", 0.0)


def comes_and_goes(world: World) -> bool:
    """Whether some node's session is down only at times, and it is open whether this is such a time."""
    reasons = {world.get(node, SESSION_FAULT) for node in world.network.nodes}
    return any(undecided(world, reason) for reason in reasons & TRANSIENT)


def heals(world: World) -> bool:
    """Whether some node's session comes back by itself after a restart, and the flow with it."""
    out_of_step = any(world.get(node, SESSION_FAULT) == "stale" for node in world.network.nodes)
    return out_of_step and world.get("cluster", SESSION_WAY) in {"", "stale:restarting"}


def received(world: World, service: str, address: str) -> tuple[Learned, ...]:
    """The routes for the address that reach the router and pass its import policy, statics included."""
    name = ("received", service, address)
    if (found := world.cached(name)) is not None:
        return found  # type: ignore[return-value]  # stored below
    before = world.start()
    routes = tuple(_statics(world, address)) + tuple(_learned(world, service, address))
    world.keep(name, routes, before)
    return routes


def _statics(world: World, address: str) -> list[Learned]:
    owners = world.network.owners
    if world.get("router", STATIC_WINS):
        return [Learned(host_prefix(address), ELSEWHERE, static=True)]
    return [
        Learned(prefix, owners.get(via, via), static=True)
        for prefix, via in world.get("router", STATIC_ROUTES)
        if contains(prefix, address) and prefix_length(prefix) > 0
    ]


def _learned(world: World, service: str, address: str) -> list[Learned]:
    if world.get("router", NOBODY_ANNOUNCES):
        return []
    policy = world.get("router", IMPORT_POLICY)
    found = []
    for route in announced(world, service, address).routes:
        host_route = route.prefix == host_prefix(address)
        if policy == "none" or (policy == "aggregates-only" and host_route):
            continue
        if host_route and world.get("cluster", EXTRA_EXPORT_FILTER):
            continue
        if session_up(world, route.node):
            found.append(Learned(route.prefix, route.node, usable=not world.get(route.node, BAD_NEXT_HOP)))
    return found


def best(world: World, service: str, address: str) -> tuple[Learned, ...]:
    """The routes of the longest prefix, of which the router uses one or, with multipath, all; () for none.

    A static route wins over BGP for the same prefix (distance 1 against 20 or 200: RouterOS, FRR, Cisco, Arista).
    """
    if any(world.get("router", fault) for fault in (NOT_INSTALLED, OTHER_ROUTER, WRONG_TABLE)):
        return tuple(r for r in received(world, service, address) if r.static)
    routes = tuple(r for r in received(world, service, address) if r.usable)
    if not routes:
        return ()
    longest = max(_length(r.prefix) for r in routes)
    chosen = [r for r in routes if _length(r.prefix) == longest]
    equal = tuple(r for r in chosen if r.static) or tuple(dict.fromkeys(chosen))
    if len(equal) > 1 and not spreads(world):
        # One of them is in use, by the router's tie-break (age, router ID): a hypothesis says which.
        return tuple(r for r in equal if r.node == world.get("router", PREFERRED)) or equal
    return equal


def open_choice(world: World, service: str, address: str) -> tuple[str, ...]:
    """The nodes among which the router's tie-break decides; () where nothing is left to decide."""
    routes = best(world, service, address)
    return tuple(r.node for r in routes) if len(routes) > 1 and not spreads(world) else ()


def _length(prefix: str) -> int:
    """The length of a prefix; "" is the host route of an address that no evidence shows."""
    return prefix_length(prefix) if prefix else 128


def in_own_table(world: World, service: str, address: str) -> tuple[Learned, ...]:
    """The best routes in the table that the sessions fill, whichever router or table the client's packets meet."""
    if not (world.get("router", OTHER_ROUTER) or world.get("router", WRONG_TABLE)):
        return best(world, service, address)
    inner = world.changed({OTHER_ROUTER.of("router"): False, WRONG_TABLE.of("router"): False})
    found = best(inner, service, address)
    world.reads |= inner.reads
    return found


def listed(world: World, service: str, address: str) -> tuple[str, ...]:
    """The next hops of the longest prefix from BGP that the router lists, used or not."""
    routes = [r for r in received(world, service, address) if not r.static]
    longest = max((_length(r.prefix) for r in routes), default=0)
    return tuple(dict.fromkeys(r.node for r in routes if _length(r.prefix) == longest))


def spreads(world: World) -> bool:
    """Whether the router uses all of several best routes at once."""
    return world.get("router", MULTIPATH)
