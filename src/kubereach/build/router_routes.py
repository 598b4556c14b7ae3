"""What a router's routes, tables and settings say of next hops, other tables and NAT.

Each leaf is a doubt in words, "" where it was looked at and nothing is wrong; faults take their prior from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.model.address import canonical_address, contains, prefix_length
from kubereach.model.attribute import (
    NEXT_HOP_DOUBT,
    ROUTER_NAT_DOUBT,
    SELECTION_DOUBT,
    STATIC_ROUTES,
    TABLE_DOUBT,
)
from kubereach.model.fact import AnyFact, BgpSession, ObjectListing, Route, RouteListing, Setting
from kubereach.model.network import Flow

_MAIN = r"(?:main|bgp|bird|unicast|export.*|25[45]|local|default|master[46]?|inet6?\.0|global)$"


def put_router_routes(observed: tuple[AnyFact, ...], flow: Flow, hosts: Hosts, leaves: Leaves) -> None:
    """Put what the router's routes to the flow's address show; who is a next hop by BGP becomes a node."""
    _put_router(observed, leaves)
    _put_experiments(observed, leaves)
    all_nodes_known = any(isinstance(f, ObjectListing) and f.kind == "Node" and f.complete for f in observed)
    links = [f.prefix for f in observed if isinstance(f, Route) and f.device == "router" and f.on_link]
    for fact in observed:
        if isinstance(fact, Route) and fact.device == "router" and flow.address and contains(fact.prefix, flow.address):
            if not all_nodes_known:
                _put_next_hops(fact, hosts)
            _put_reachable(fact, links, leaves)
    _put_no_statics(observed, leaves)


def _put_reachable(route: Route, links: Iterable[str], leaves: Leaves) -> None:
    """Whether the router shows the next hops of the BGP route as connected, or as none it can use.

    One on a link of its own, of its connected routes `links`, is connected.
    """
    if (
        route.protocol == "bgp" and route.kind == "unreachable"
    ):  # BIRD: the gateway cannot be resolved (nest/rt-table.c)
        doubt = f"{route.prefix} is unreachable by its next hop"
        leaves.put("router", NEXT_HOP_DOUBT, doubt, (route.origin,), route.trust)
    if route.protocol != "bgp" or not any(h.via for h in route.next_hops):
        return
    # Zebra names the interface of a next hop that it resolved, whatever else keeps the route from the kernel.
    bad = next((h.via for h in route.next_hops if h.via and not h.active and not h.interface), "")
    if bad:
        leaves.put("router", NEXT_HOP_DOUBT, f"the next hop {bad} is shown as inactive", (route.origin,), route.trust)
    elif all(h.interface or any(contains(link, h.via) for link in links) for h in route.next_hops if h.via):
        leaves.put("router", NEXT_HOP_DOUBT, "", (route.origin,), route.trust)


def _put_no_statics(observed: tuple[AnyFact, ...], leaves: Leaves) -> None:
    """A whole table without a static route has none that could win."""
    static = any(isinstance(f, Route) and f.device == "router" and f.protocol == "static" for f in observed)
    for fact in observed:
        whole = isinstance(fact, RouteListing) and fact.complete and not fact.prefix and not fact.protocol
        if isinstance(fact, RouteListing) and whole and fact.device == "router" and not static:
            leaves.put("router", STATIC_ROUTES, (), (fact.origin,), fact.trust)


def _put_experiments(observed: tuple[AnyFact, ...], leaves: Leaves) -> None:
    """A route that is there in another state of the service: the way to the router works, the selection differs."""
    absent = {f.prefix for f in observed if isinstance(f, RouteListing) and f.device == "router" and f.complete}
    for fact, _ in texts(observed):
        state = re.search(r"\b(?:while|when|if|once|after|before)\b(.{1,160})", fact.attribute)
        there = re.match(r"present|installed|there|yes|true|announced|advertised", str(fact.value).lower())
        ours = state and re.search(r"service|spec\b|type|polic|label|annotat|endpoint|pod\b|selector", state[1], re.I)
        if there and ours and state and any(p and p in fact.attribute for p in absent):
            leaves.put("cluster", SELECTION_DOUBT, f"the route is there{state[0]}", (fact.origin,), fact.trust)


def _put_next_hops(route: Route, hosts: Hosts) -> None:
    """Who a router learned a service's route from by BGP is a node."""
    if route.protocol != "bgp" or prefix_length(route.prefix) <= 8:
        return
    for hop in route.next_hops:
        if canonical_address(hop.via) and hop.via not in hosts.owners:
            hosts.own(hosts.add_node(f"node/{hop.via}"), hop.via, (route.origin,), route.trust)


def _put_router(observed: tuple[AnyFact, ...], leaves: Leaves) -> None:
    """Routing tables beside the main one, NAT rules, and next hops that cannot be reached."""
    for fact in observed:
        if isinstance(fact, Route) and fact.device == "router" and not re.match(_MAIN, fact.table):
            doubt = f"{fact.prefix} is in the table {fact.table}"
            leaves.put("router", TABLE_DOUBT, doubt, (fact.origin,), fact.trust)
        elif isinstance(fact, BgpSession) and fact.device == "router" and (table := _vrf(fact.origin.command)):
            leaves.put("router", TABLE_DOUBT, f"the session is in the VRF {table}", (fact.origin,), fact.trust)
    for fact, text in texts(observed):
        kind = fact.subject.partition("/")[0]
        if kind in {"router", "peer", "switch"}:
            bad = str(fact.value).lower() in {"false", "no", "unreachable", "invalid", "inaccessible", "unresolved"}
            if re.search(r"next[ ._-]?hop", fact.attribute) and bad:
                says = "the next hop that is announced cannot be reached there"
                leaves.put("router", NEXT_HOP_DOUBT, says, (fact.origin,), fact.trust)
            if re.search(r"\bvrf\b|routing[ ._-]?(?:table|instance)|policy[ ._-]?rout", text):
                leaves.put("router", TABLE_DOUBT, f"{fact.attribute}: {fact.value}", (fact.origin,), fact.trust)
            if _is_nat(fact, text):
                leaves.put("router", ROUTER_NAT_DOUBT, f"{fact.attribute}: {fact.value}", (fact.origin,), fact.trust)


def _is_nat(fact: Setting, text: str) -> bool:
    """Whether a setting of the router is address translation that the flow may meet.

    Rules of a listing are weighed by themselves (build.router_rules).
    """
    if re.match(r"iptables\.|firewall\.|nft", fact.attribute):
        return False
    nat = re.search(r"\b(?:[sd]?-?nat|masquerade|src-?nat|dst-?nat|port[ -]?forward\w*|hairpin)\b", text)
    return nat is not None and str(fact.value).lower() not in {"none", "false", "off", "no"}


def _vrf(command: str) -> str:
    """The VRF that a command asks for; "" for the default one, or all."""
    named = re.search(r"\bvrf[ =](?!all\b|default\b)([\w.-]{1,32})", command)
    return named[1] if named else ""


def texts(observed: Iterable[AnyFact]) -> Iterable[tuple[Setting, str]]:
    """The settings, each with its attribute and value as one lower-case text."""
    for fact in observed:
        if isinstance(fact, Setting):
            yield fact, f"{fact.attribute} {fact.value}".lower()
