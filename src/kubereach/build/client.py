"""The client's address, where no probe of it names one, and that of the router which asks the segment for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from kubereach.build.hosts import Hosts
from kubereach.model.address import canonical_address, contains, parse_address
from kubereach.model.fact import AnyFact, InterfaceAddress, Packet, RouteLookup
from kubereach.model.network import Flow


def with_client(flow: Flow, observed: tuple[AnyFact, ...], hosts: Hosts) -> Flow:
    """The flow with the address that the client's own look-up, its interfaces, or captures give it.

    A capture behind a translation shows the translator: it is asked last, and one that shows several sources is not.
    """
    if flow.client or flow.source != "client" or not flow.address:
        return flow
    stated = hosts.addresses.get("client", ("",))[0]
    for found in ([stated], _looked_up(flow, observed), _own(observed), _captured(flow, observed)):
        outside = Counter(a for text in found if (a := canonical_address(text)) and not _of_cluster(a, flow, hosts))
        if len(outside) == 1:
            return replace(flow, client=next(iter(outside)))
    return flow


def _of_cluster(address: str, flow: Flow, hosts: Hosts) -> bool:
    owner = hosts.owners.get(address, "")
    return address == flow.address or owner in hosts.nodes or owner == "router"


def _looked_up(flow: Flow, observed: tuple[AnyFact, ...]) -> Iterator[str]:
    """The source that the client's kernel chooses for the address."""
    for fact in observed:
        if isinstance(fact, RouteLookup) and fact.device == "client" and fact.address == flow.address:
            yield fact.preferred_source


def _own(observed: tuple[AnyFact, ...]) -> Iterator[str]:
    for fact in observed:
        if isinstance(fact, InterfaceAddress) and fact.device == "client" and fact.prefix_length not in {32, 128}:
            address = parse_address(fact.address)
            if address is not None and not address.is_loopback and not address.is_link_local:
                yield fact.address


def _captured(flow: Flow, observed: tuple[AnyFact, ...]) -> Iterator[str]:
    """Who opens connections to the service's port, as nodes and the router see it."""
    for fact in observed:
        opens = isinstance(fact, Packet) and fact.what == "tcp" and fact.flags == "S"
        if isinstance(fact, Packet) and opens and fact.destination == flow.address:
            yield from [fact.source] if flow.port is None or fact.destination_port in {None, flow.port} else []


def own_asker(flow: Flow, observed: tuple[AnyFact, ...], hosts: Hosts) -> None:
    """Know the router by its ARP requests: who asks a node's segment for the address is who delivers to it.

    Only where the client is elsewhere, no router is known, and one host alone asks.
    """
    if "router" in hosts.owners.values() or not flow.client:
        return
    nodes = [found[0] for subject, found in hosts.addresses.items() if subject in hosts.nodes and "." in found[0]]
    asking: dict[str, Packet] = {}
    for fact in observed:
        asked = isinstance(fact, Packet) and fact.what == "arp-request" and fact.destination == flow.address
        strange = isinstance(fact, Packet) and asked and fact.source not in {"", flow.client}
        if isinstance(fact, Packet) and strange and not _of_cluster(fact.source, flow, hosts):
            asking.setdefault(fact.source, fact)
    beside = any(contains(f"{node}/24", flow.client) for node in nodes)
    if len(asking) == 1 and not beside:
        address, fact = next(iter(asking.items()))
        if any(contains(f"{node}/24", address) for node in nodes):
            hosts.own("router", address, (fact.origin,), fact.trust)
