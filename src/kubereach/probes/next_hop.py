"""Which node the router sends the address to, as an ICMP redirect, a traceroute or the router's own table shows.

Answers: the next hop's subject, or `none`.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.address import contains, prefix_length
from kubereach.model.fact import ProbeResult, Route
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.bgp import best
from kubereach.simulate.world import World

KIND = "next_hop"
BACKGROUND: Distribution = {"none": 0.3}


def sightings(network: Network) -> Iterable[Sighting]:
    """Redirects name the router's active next hop (RFC 1812 section 5.2.7.2)."""
    for fact in network.observed:
        if isinstance(fact, ProbeResult) and fact.target == network.flow.address:
            hops = {network.owners.get(new, new) for _, new in fact.redirects}
            if hops:
                yield Sighting(
                    question=Question(KIND, "router"),
                    answers=frozenset(hops) if len(hops) == 1 else frozenset({"several"}),
                    origins=(fact.origin,),
                    trust=fact.trust,
                    says=f"redirect from {fact.redirects[0][0]} to {fact.redirects[0][1]}",
                )
    yield from _from_tables(network)


def _from_tables(network: Network) -> Iterable[Sighting]:
    """The active route of the longest prefix that a router's table shows, where its next hops are given."""
    routes = [
        f
        for f in network.observed
        if isinstance(f, Route)
        and f.device == "router"
        and f.active
        and f.table in {"main", "bgp"}
        and prefix_length(f.prefix) > 0
        and contains(f.prefix, network.flow.address)
        and any(h.via for h in f.next_hops)
    ]
    if routes:
        chosen = max(routes, key=lambda r: prefix_length(r.prefix))
        hops = {network.owners.get(h.via, h.via) for h in chosen.next_hops if h.via}
        yield Sighting(
            question=Question(KIND, "router"),
            answers=frozenset(hops) if len(hops) == 1 else frozenset({"several"}),
            origins=(chosen.origin,),
            trust=chosen.trust,
            says=f"the router sends {chosen.prefix} to {', '.join(sorted(h.via for h in chosen.next_hops))}",
        )


def predict(world: World, question: Question) -> Distribution | None:
    """The best routes of this world."""
    flow = world.network.flow
    routes = best(world, flow.service, flow.address)
    if not routes:
        return {"none": 1.0}
    return mixed((1.0, {route.node: 1.0}) for route in routes)


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
    address = network.flow.address
    if network.stack & {"mikrotik", "routeros"}:
        return f"/ip route print detail where {address} in dst-address"
    return f"vtysh -c 'show ip route {address}'   # or your router's own command"


def means(world: World, question: Question) -> str:
    """Which route the router follows there."""
    flow = world.network.flow
    routes = best(world, flow.service, flow.address)
    if not routes:
        return "the router has no route to the address"
    return "the router's best route is " + ", ".join(f"{r.prefix} via {r.node.removeprefix('node/')}" for r in routes)
