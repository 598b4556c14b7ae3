"""Whether the router has a route to the address: the host route, or an aggregate around it.

Answers: present, absent. Absent is an answer only of a table that closes its scope.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.address import contains, host_prefix, prefix_length
from kubereach.model.attribute import NOT_INSTALLED, SESSION_FAULT, WRONG_TABLE
from kubereach.model.fact import Route, RouteListing, Setting
from kubereach.model.network import Network
from kubereach.probes.next_hop import forwarding_shown, route_command
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.bgp import TRANSIENT, comes_and_goes, received
from kubereach.simulate.world import World

KIND = "router_route"
BACKGROUND: Distribution = {"present": 0.5, "absent": 0.5}


def sightings(network: Network) -> Iterable[Sighting]:
    """Routes that the router's own table shows, and their absence where the table is whole."""
    address = network.flow.address
    if not address:
        return
    host = host_prefix(address)
    routes = [f for f in network.observed if isinstance(f, Route) and f.device == "router" and f.table != "export"]
    if forwarding_shown(network):
        routes = [r for r in routes if r.table != "bgp"]  # asked by itself (route_use)
    around = [r for r in routes if prefix_length(r.prefix) > 0 and contains(r.prefix, address) and not r.on_link]
    for kind, found in (
        ("host", [r for r in around if r.prefix == host]),
        ("aggregate", [r for r in around if r.prefix != host]),
    ):
        if found:
            yield _sighting(kind, "present", found[0], f"the router has {found[0].prefix}")
        elif closing := _closing(network, host if kind == "host" else ""):
            yield _sighting(kind, "absent", closing, f"the router's table shows no {kind} route for {address}")
    yield from _stated(network, host)


def _stated(network: Network, host: str) -> Iterable[Sighting]:
    for fact in network.observed:
        if isinstance(fact, Setting) and fact.subject == "router" and fact.attribute == f"route.{host}":
            answer = str(fact.value).lower()
            if answer in {"present", "absent"}:
                yield Sighting(
                    question=Question(KIND, "router", ("host",)),
                    answers=frozenset({answer}),
                    origins=(fact.origin,),
                    trust=fact.trust,
                    says=f"the route {host} is {answer} on the router",
                )


def _closing(network: Network, host: str) -> RouteListing | None:
    for fact in network.observed:
        if isinstance(fact, RouteListing) and fact.device == "router" and fact.complete:
            whole = not fact.prefix and not fact.protocol
            if whole or (host and fact.prefix and contains(fact.prefix, host)):
                return fact
    return None


def _sighting(kind: str, answer: str, fact: Route | RouteListing, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, "router", (kind,)),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def _is_unused(fact: object) -> bool:
    """A route of the router's routing table, not of BGP's own, that it shows and does not use."""
    return isinstance(fact, Route) and fact.device == "router" and fact.active is False and fact.table != "bgp"


def predict(world: World, question: Question) -> Distribution | None:
    """From what reaches the router in this world; a session that is down at times leaves both possible."""
    wanted = question.about == ("host",)
    there, uninstalled = _there(world, wanted=wanted), world.get("router", NOT_INSTALLED)
    if there == "unusable" or (there and uninstalled):
        # BGP's own table lists it, and many a routing table does not (Cisco IOS, Arista EOS).
        lists = any(_is_unused(fact) for fact in world.network.observed)
        return {"present": 0.96, "absent": 0.04} if lists else {"present": 0.45, "absent": 0.55}
    if there:
        if world.get("router", WRONG_TABLE):
            return {"present": 0.5, "absent": 0.5}  # many list one table alone
        return {"present": 0.98, "absent": 0.02}
    passing = [node for node in world.network.nodes if world.get(node, SESSION_FAULT) in TRANSIENT]
    if comes_and_goes(world):
        inner = world.changed({SESSION_FAULT.of(node): "" for node in passing})
        at_times = _there(inner, wanted=wanted)
        world.reads |= inner.reads
        if at_times:
            return {"present": 0.5, "absent": 0.5}
    return {"present": 0.02, "absent": 0.98}


def _there(world: World, *, wanted: bool) -> str:
    """`usable`, `unusable` for a route with attributes that the router cannot use, "" for none."""
    flow = world.network.flow
    host = host_prefix(flow.address)
    found = [r for r in received(world, flow.service, flow.address) if (r.prefix == host) == wanted]
    return "usable" if any(r.usable for r in found) else "unusable" if found else ""


def offers(network: Network) -> Iterable[Offer]:
    """The router's table."""
    if network.flow.address:
        yield Offer(
            question=Question(KIND, "router", ("host",)),
            where="router",
            command=route_command(network),
            cost=30,
            privilege="router",
            words={
                "present": f"a line with {host_prefix(network.flow.address)}",
                "absent": f"no line with {host_prefix(network.flow.address)}",
            },
        )


def means(world: World, question: Question) -> str:
    """Which node the route came from."""
    flow = world.network.flow
    host = host_prefix(flow.address)
    found = [
        r for r in received(world, flow.service, flow.address) if (r.prefix == host) == (question.about == ("host",))
    ]
    if not found:
        return "no node's route of that kind reaches the router"
    where = ", ".join(r.node.removeprefix("node/") for r in found)
    if question.about == ("aggregate",):
        return f"the aggregate, which every participating node announces whatever its endpoints; here from {where}"
    return f"announced by {where}"
