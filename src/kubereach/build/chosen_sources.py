"""A node's address, from what its kernel sends by: the source of its connected routes and look-ups."""

from __future__ import annotations

import re

from kubereach.build.hosts import CLIENT_NAMES, INNER_LINKS, Hosts
from kubereach.model.address import canonical_address
from kubereach.model.fact import Fact, Route, RouteLookup


def own_chosen_sources(facts: tuple[Fact, ...], hosts: Hosts) -> None:
    """Give the nodes that only their names are known of the address on their link (`proto kernel scope link src`).

    Of a look-up, the source is on the node's link where the way leads over a gateway.
    """
    for fact in facts:
        if not isinstance(fact, (Route, RouteLookup)) or fact.given:
            continue
        address = canonical_address(fact.preferred_source)
        links = [hop.interface for hop in fact.next_hops] if isinstance(fact, Route) else [fact.interface]
        own = fact.on_link if isinstance(fact, Route) else bool(fact.via) and not fact.from_address
        if address is None or not own or any(re.match(INNER_LINKS, link) for link in links) or address in hosts.owners:
            continue
        asked = isinstance(fact, RouteLookup) and fact.device.lower() not in CLIENT_NAMES
        subject = hosts.resolve(fact.device, node_like=asked)
        if subject in hosts.nodes and subject not in hosts.addresses:
            hosts.own(subject, address, (fact.origin,), fact.trust)
