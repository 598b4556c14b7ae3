"""Which node the router sends the address to, as an ICMP redirect, a traceroute or the router's own table shows.

Answers: the next hop's subject, `several` (in use at once), or `none`. Asked with `endpoints`: whether the next hops in
the table run a ready endpoint: all, some, none-of-them.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.address import contains, prefix_length
from kubereach.model.attribute import ENDPOINTS, MULTIPATH
from kubereach.model.fact import ProbeResult, Route, RouteListing
from kubereach.model.network import Network
from kubereach.probes._commands import ROUTES, of_router
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.announced import has_local
from kubereach.simulate.bgp import ELSEWHERE, comes_and_goes, in_own_table, listed
from kubereach.simulate.world import World

KIND = "next_hop"
EVERY_NODE = "*"  # a statement that all nodes are next hops
BACKGROUND: Distribution = {"none": 0.3, "several": 0.2, "all": 0.5, "some": 0.3, "none-of-them": 0.2}


def by_router(network: Network, sender: str, next_hop: str) -> bool:
    """Whether a redirect shows a router's route through a gateway.

    One that names the address itself says that it is on-link, and a node that forwards what it should have taken (an
    address that no kernel owns) sends redirects too.
    """
    return next_hop != network.flow.address and network.owners.get(sender) not in network.nodes


def sightings(network: Network) -> Iterable[Sighting]:
    """Redirects name the router's active next hop (RFC 1812 section 5.2.7.2)."""
    for fact in network.observed:
        if isinstance(fact, ProbeResult) and fact.target == network.flow.address:
            hops = {network.owners.get(new, new) for old, new in fact.redirects if by_router(network, old, new)}
            if hops:
                yield Sighting(
                    question=Question(KIND, "router"),
                    answers=_as_answers(network, hops) if len(hops) == 1 else frozenset({"several"}),
                    origins=(fact.origin,),
                    trust=fact.trust,
                    says=f"redirect from {fact.redirects[0][0]} to {fact.redirects[0][1]}",
                )
    yield from _from_tables(network)


def _from_tables(network: Network) -> Iterable[Sighting]:
    """The routes of the longest prefix that a router's table shows, where their next hops are given."""
    routes = [
        f
        for f in network.observed
        if isinstance(f, Route)
        and f.device == "router"
        and not f.table.startswith("export")
        and prefix_length(f.prefix) > 0
        and contains(f.prefix, network.flow.address)
        and any(h.via for h in f.next_hops)
    ]
    if not routes:
        return
    if forwarding_shown(network) and all(r.table == "bgp" for r in routes):
        return  # the BGP table marks its best path, used or not, and the table that forwards has none
    longest = max(prefix_length(r.prefix) for r in routes)
    best_ones = of_the_fib([r for r in routes if prefix_length(r.prefix) == longest])
    active = [r for r in best_ones if r.active]
    chosen = (active or best_ones)[0]
    if active:
        hops = {_owner(network, h.via) for r in active for h in r.next_hops if h.via}
        several = len(hops) > 1 or EVERY_NODE in hops
        answers = frozenset({"several"}) if several else _as_answers(network, hops)
        if chosen.table == "bird" and len(best_ones) > 1:
            answers |= {"several"}  # BIRD marks one path as primary whether or not it merges the equal ones
        yield Sighting(
            question=Question(KIND, "router"),
            answers=answers,
            origins=(chosen.origin,),
            trust=chosen.trust,
            says=f"the router sends {chosen.prefix} to {', '.join(sorted(h.via for h in chosen.next_hops))}",
        )
    yield from _of_endpoints(network, best_ones)


def forwarding_shown(network: Network) -> bool:
    """Whether the router's whole main table is shown, and not only what BGP has."""
    return any(
        isinstance(f, RouteListing) and f.device == "router" and f.table == "main" and f.complete
        for f in network.observed
        if isinstance(f, RouteListing) and not f.prefix and not f.protocol
    )


def of_the_fib(routes: list[Route]) -> list[Route]:
    """The routes that forward: a daemon's table marks the best path, used or not, and counts only without the FIB's."""
    forwarding = [r for r in routes if r.table not in {"bgp", "bird"}]
    return forwarding or [r for r in routes if r.table != "bgp"] or routes


def _as_answers(network: Network, hops: set[str]) -> frozenset[str]:
    """A next hop that is no node is what a world calls another one, where no configuration names it."""
    return frozenset(hops if hops <= set(network.nodes) else {*hops, ELSEWHERE})


def _owner(network: Network, via: str) -> str:
    named = f"node/{via}"
    return network.owners.get(via) or (named if named in network.nodes else via)


def _of_endpoints(network: Network, routes: list[Route]) -> Iterable[Sighting]:
    """Whether the next hops, used or not, are nodes with a ready endpoint, as far as endpoints are shown."""
    hops = {_owner(network, h.via) for r in routes for h in r.next_hops if h.via}
    endpoints = network.seen(network.flow.service, ENDPOINTS)
    running = {e.node for e in endpoints or () if e.ready and e.node}
    if endpoints is None:  # the pods that are shown at all, where no endpoint list is
        pods = (p for p in network.objects_of("Pod") if p.namespace == network.flow.service.split("/")[1])
        running = {f"node/{p.text('spec.nodeName')}" for p in pods if p.text("spec.nodeName")}
    if EVERY_NODE in hops:
        answer = "some"
    elif not running or not hops <= set(network.nodes):
        return
    else:
        answer = "all" if hops <= running else "some" if hops & running else "none-of-them"
    yield Sighting(
        question=Question(KIND, "router", ("endpoints",)),
        answers=frozenset({answer}),
        origins=(routes[0].origin,),
        trust=routes[0].trust,
        says=f"of the next hops for {routes[0].prefix}, {answer.replace('-', ' ')} run a ready endpoint",
    )


def predict(world: World, question: Question) -> Distribution | None:
    """The best routes of this world; several at once only where the router spreads."""
    flow = world.network.flow
    if question.about == ("endpoints",):
        return _with_endpoints(world, list(listed(world, flow.service, flow.address)))
    routes = in_own_table(world, flow.service, flow.address)
    if comes_and_goes(world):
        return None
    if not routes:
        return {"none": 1.0}
    singles = mixed((1.0, {route.node: 1.0}) for route in routes)
    if len(routes) < 2:
        return singles
    share = (0.9 if world.get("router", MULTIPATH) else 0.1) if world.known("router", MULTIPATH) else 0.5
    return mixed([(share, {"several": 1.0}), (1 - share, singles)])


def _with_endpoints(world: World, nodes: list[str]) -> Distribution | None:
    """A table lists every path, or only the one that it chose."""
    if not nodes or comes_and_goes(world):
        return None
    spread = world.known("router", MULTIPATH) and world.get("router", MULTIPATH)
    singles = [(0.0 if spread else 0.5 / len(nodes), _share(world, [node])) for node in nodes]
    return mixed([(0.5, _share(world, nodes)), *singles])


def _share(world: World, nodes: list[str]) -> Distribution:
    running = sum(has_local(world, world.network.flow.service, node) for node in nodes)
    answer = "all" if running == len(nodes) else "some" if running else "none-of-them"
    return {a: 0.94 if a == answer else 0.03 for a in ("all", "some", "none-of-them")}


def offers(network: Network) -> Iterable[Offer]:
    """The router's own route for the address."""
    if network.flow.address:
        yield Offer(
            question=Question(KIND, "router"),
            where="router",
            command=route_command(network),
            cost=30,
            privilege="router",
            words={**{n: f"the route via {n.removeprefix('node/')}" for n in network.nodes}, "none": "no route"},
        )


def route_command(network: Network) -> str:
    """The command that shows the router's routes for the address, in the router's own language."""
    return of_router(network, ROUTES)


def means(world: World, question: Question) -> str:
    """Which route the router follows there."""
    flow = world.network.flow
    routes = in_own_table(world, flow.service, flow.address)
    if not routes:
        return "the router has no route to the address"
    return "the router's best route is " + ", ".join(f"{r.prefix} via {r.node.removeprefix('node/')}" for r in routes)
