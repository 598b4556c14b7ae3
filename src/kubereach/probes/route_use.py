"""Whether the router uses the routes it has for the address: active marks, `>` and `*`, hidden or rejected routes.

Asked of the router: `used` about the best prefix that it lists: yes, no, or outranked (zebra resolved its next hops and
selected another protocol's route). `spread` about a prefix with several next hops
(the address's, or any of BGP where the evidence names no address): one, all. `bgp` about its BGP table: usable,
uninstalled (valid paths, of which none is chosen or could be installed), unusable (no valid path), absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.address import contains, prefix_length
from kubereach.model.attribute import MULTIPATH, NOT_INSTALLED, STATIC_WINS
from kubereach.model.fact import Route
from kubereach.model.network import Network
from kubereach.probes._commands import TABLE, of_router
from kubereach.probes.next_hop import forwarding_shown, of_the_fib
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.bgp import in_own_table, received
from kubereach.simulate.world import World

KIND = "route_use"
BACKGROUND: Distribution = {
    "yes": 0.85,
    "no": 0.1,
    "outranked": 0.05,
    "one": 0.5,
    "all": 0.5,
    "usable": 0.7,
    "unusable": 0.07,
    "uninstalled": 0.05,
    "absent": 0.2,
}


def uneven(network: Network) -> bool:
    """Whether the router shows several next hops of which it uses one."""
    return any(s.question.about == ("spread",) and "one" in s.answers for s in sightings(network))


def sightings(network: Network) -> Iterable[Sighting]:
    """The marks of the router's own table."""
    address = network.flow.address
    routes = [
        f for f in network.observed if isinstance(f, Route) and f.device == "router" and not _sent(f) and not f.on_link
    ]
    yield from _in_bgp(network, routes)
    groups: dict[str, list[Route]] = {}
    for route in routes:
        fits = contains(route.prefix, address) if address else route.protocol == "bgp"
        if fits and prefix_length(route.prefix) > 0:
            groups.setdefault(route.prefix, []).append(route)
    if not groups or (forwarding_shown(network) and all(r.table == "bgp" for g in groups.values() for r in g)):
        return
    chosen = max(groups, key=lambda p: (prefix_length(p), len(groups[p])))
    tables = [r for r in groups[chosen] if r.table in {"bgp", "bird"}]
    offered = {h.via for r in tables for h in r.next_hops if h.active and h.via}
    groups[chosen] = of_the_fib(groups[chosen])
    marked = [r for r in groups[chosen] if r.active is not None and r.protocol != "static"]  # what was announced
    if marked and address:
        used = any(r.active and r.kind != "unreachable" for r in marked)
        says = f"the router {'uses' if used else 'lists and does not use'} {chosen}"
        yield _sighting("used", "yes" if used else _why_not(marked), marked[0], says)
    hops = {h.via for r in groups[chosen] for h in r.next_hops if h.via}
    kernel = [r for r in groups[chosen] if r.table == "main" and r.protocol == "bird"]  # all that BIRD put there
    if kernel or any(r.protocol == "bgp" for r in marked):
        hops |= offered  # the table that forwards has the best alone
    active = {h.via for r in (*marked, *kernel) if r.active is not False for h in r.next_hops if h.via and h.active}
    primary = any(r.table == "bird" for r in marked)  # BIRD's mark, whether or not it merges the equal paths
    if active and not primary and (len(hops) > 1 or "*" in hops):
        several = len(active) > 1 or "*" in active
        says = f"{chosen}: {len(hops)} next hops, {'several' if several else 'one'} in use"
        yield _sighting("spread", "all" if several else "one", groups[chosen][0], says)


def _why_not(routes: list[Route]) -> str:
    """Zebra prints the interface of a next hop that it resolved, and `inactive` for another (zebra_vty.c)."""
    hops = [hop for route in routes for hop in route.next_hops]
    resolved = bool(hops) and all(hop.active and hop.interface for hop in hops)
    rejected = any(route.kind != "unicast" for route in routes)
    return "outranked" if resolved and not rejected else "no"


def _in_bgp(network: Network, routes: list[Route]) -> Iterable[Sighting]:
    """Whether the router's BGP table holds the address, and with a path that it can use."""
    # Who tells of a route in words need not say whether it is valid.
    table = [r for r in routes if r.table == "bgp" and not (r.paraphrased and r.active is None)]
    holding = [r for r in table if network.flow.address and contains(r.prefix, network.flow.address)]
    whole = [r for r in table if re.search(r"show (?:ip )?bgp(?: ipv4 unicast)?\W*$", r.origin.command)]
    if holding or whole:
        valid = any(hop.active for r in holding for hop in r.next_hops)
        answer = "absent" if not holding else "uninstalled" if valid else "unusable"
        answer = "usable" if any(r.active for r in holding) else answer
        chosen = (holding or whole)[0]
        says = f"the router's BGP table: {chosen.prefix if holding else 'the address'} is {answer}"
        yield _sighting("bgp", answer, chosen, says)


def _sent(route: Route) -> bool:
    return route.table.startswith("export")


def _sighting(about: str, answer: str, fact: Route, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, "router", (about,)),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """From the best routes of this world; whether a router spreads over several is a setting of its own."""
    flow = world.network.flow
    if question.about == ("spread",):
        if not world.known("router", MULTIPATH):
            return {"all": 0.5, "one": 0.5}
        spread = world.get("router", MULTIPATH)
        return {"all": 0.95, "one": 0.05} if spread else {"one": 0.95, "all": 0.05}
    learned = [r for r in received(world, flow.service, flow.address) if not r.static]
    if question.about == ("bgp",):
        answer = "usable" if any(r.usable for r in learned) else "unusable" if learned else "absent"
        if answer == "usable" and (world.get("router", NOT_INSTALLED) or world.get("router", STATIC_WINS)):
            return {"uninstalled": 0.5, "usable": 0.44, "unusable": 0.03, "absent": 0.03}
        return {a: 0.91 if a == answer else 0.03 for a in ("usable", "unusable", "uninstalled", "absent")}
    if not received(world, flow.service, flow.address):
        return None
    used = any(r.node in world.network.nodes for r in in_own_table(world, flow.service, flow.address))
    if used:
        return {"yes": 0.97, "no": 0.015, "outranked": 0.015}
    if world.get("router", STATIC_WINS):
        return {"outranked": 0.6, "no": 0.35, "yes": 0.05}  # most routers do not tell the two apart
    return {"no": 0.7, "outranked": 0.2, "yes": 0.1}


def offers(network: Network) -> Iterable[Offer]:
    """The router's BGP table, which lists what it cannot use too; its routes are asked for by next_hop."""
    command = of_router(network, TABLE)
    if network.flow.address and command:
        yield Offer(
            question=Question(KIND, "router", ("bgp",)),
            where="router",
            command=command,
            cost=30,
            privilege="router",
            words={
                "usable": "the address's prefix with *>",
                "uninstalled": "the address's prefix with r, or * and no >",
                "unusable": "the address's prefix without *",
                "absent": "no line with it",
            },
        )


def means(world: World, question: Question) -> str:
    """Usable or not, one next hop or several."""
    if question.about == ("spread",):
        return "the router spreads over its next hops" if world.get("router", MULTIPATH) else "one next hop gets all"
    flow = world.network.flow
    return (
        "the route is in use"
        if in_own_table(world, flow.service, flow.address)
        else "the route is known and not usable"
    )
