"""What a node's own speaker holds and sends: its BIRD table, `birdcl show route export PEER`, advertised routes.

Asked of a node for the address's host route (or "" for the aggregate around it): `own` is its table, `export` what it
sends to the router. Answers: present, absent. Absent is an answer only of a listing that closes its scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.address import contains, host_prefix, prefix_length
from kubereach.model.attribute import EXPORT_FILTERS, EXTRA_EXPORT_FILTER, PEERS, Peer
from kubereach.model.fact import BgpSession, Route, RouteListing
from kubereach.model.network import Network
from kubereach.probes._commands import in_calico_node
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.announced import announced
from kubereach.simulate.bgp import held
from kubereach.simulate.world import World

KIND = "exported"
BACKGROUND: Distribution = {"present": 0.6, "absent": 0.4}


def _where(table: str) -> str:
    return "export" if table.startswith("export") else "own" if table in {"bird", "bgp"} else ""


def sightings(network: Network) -> Iterable[Sighting]:
    """Routes for the address in nodes' tables, and their absence where a table is whole."""
    address = network.flow.address
    if not address:
        return
    host = host_prefix(address)
    seen: set[tuple[str, str, str]] = set()
    for fact in network.observed:
        if not isinstance(fact, Route) or fact.device not in network.nodes or not _where(fact.table):
            continue
        learned = fact.protocol == "bgp" and _where(fact.table) == "own"  # what others told it is not its own
        if prefix_length(fact.prefix) > 0 and contains(fact.prefix, address) and not learned:
            kind = "host" if fact.prefix == host else "aggregate"
            key = (fact.device, _where(fact.table), kind)
            if key not in seen:
                seen.add(key)
                yield _sighting(key, "present", fact, f"{fact.prefix} is in the node's {fact.table} table")
    for fact in network.observed:
        if isinstance(fact, RouteListing) and fact.device in network.nodes and fact.complete and _where(fact.table):
            for kind in ("host", "aggregate"):
                key = (fact.device, _where(fact.table), kind)
                whole = not fact.prefix and not fact.protocol
                if key not in seen and (whole or (kind == "host" and contains(fact.prefix, host))):
                    seen.add(key)
                    yield _sighting(key, "absent", fact, f"the node's {fact.table} table has no {kind} route")


def _sighting(key: tuple[str, str, str], answer: str, fact: Route | RouteListing, says: str) -> Sighting:
    node, where, kind = key
    return Sighting(
        question=Question(KIND, node, (where, kind)),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """From what the announcer of this world says; its own table is before any export filter."""
    # BIRD lists nothing for a channel that is not up, or not there (nest/proto.c).
    own = 1.0 if question.about[0] == "own" else held(world, question.where)
    there = own if _there(world, question) else 0.0
    return {"present": 0.04 + 0.92 * there, "absent": 0.96 - 0.92 * there}


def _there(world: World, question: Question) -> bool:
    flow = world.network.flow
    where, kind = question.about
    if where == "own":
        unfiltered = {EXTRA_EXPORT_FILTER.of("cluster"): False, EXPORT_FILTERS.of("cluster"): ()}
        inner = world.changed(unfiltered)
        routes = tuple(r for r in announced(inner, flow.service, flow.address).routes if not r.relayed)
        world.reads |= inner.reads
    else:
        routes = announced(world, flow.service, flow.address).routes
        if world.get("cluster", EXTRA_EXPORT_FILTER):
            routes = tuple(r for r in routes if r.prefix != host_prefix(flow.address))
    host = host_prefix(flow.address)
    return any(r.node == question.where and (r.prefix == host) == (kind == "host") for r in routes)


def offers(network: Network) -> Iterable[Offer]:
    """The export listing of each node that should announce."""
    if not network.flow.address or "calico" not in network.stack:
        return
    for node in network.nodes:
        peer = _protocol(network, node)
        command = in_calico_node(network, node, f"show route export {peer}") if peer else ""
        if not command:
            continue
        yield Offer(
            question=Question(KIND, node, ("export", "host")),
            where=node,
            command=command,
            cost=45,
            privilege="exec",
            words={
                "present": f"a line with {host_prefix(network.flow.address)}",
                "absent": f"no line with {host_prefix(network.flow.address)}",
            },
        )


def _protocol(network: Network, node: str) -> str:
    """BIRD's name for the session with the router: as shown, or as confd names peers (confd's bird.cfg template)."""
    shown = [
        f
        for f in network.observed
        if isinstance(f, BgpSession) and f.device in network.nodes and network.owners.get(f.peer) == "router" and f.name
    ]
    if shown:
        return next((f.name for f in shown if f.device == node), shown[0].name)
    router = next((ip for ip, owner in network.owners.items() if owner == "router"), "")
    peers = network.seen("cluster", PEERS) or (Peer(router),)
    address, scope = next((p.address, "Node" if p.nodes else "Global") for p in peers)
    return f"{scope}_{re.sub('[.:]', '_', address)}" if address else ""


def means(world: World, question: Question) -> str:
    """Whether the node does its part."""
    name = question.where.removeprefix("node/")
    words = ("has", "does not have") if question.about[0] == "own" else ("sends", "does not send")
    return f"{name} {words[not _there(world, question)]} it"
