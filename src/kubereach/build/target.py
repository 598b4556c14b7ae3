"""Which flow is meant: the service, its address and port, and the client."""

from __future__ import annotations

import re
from collections import Counter

from msgspec import Struct

from kubereach.build.hosts import CLIENT_NAMES
from kubereach.build.leaves import Leaves
from kubereach.errors import UsageError
from kubereach.model.address import canonical_address, contains, parse_prefix, prefix_length
from kubereach.model.attribute import (
    ADDRESSES,
    ALLOCATION_FAULT,
    CLUSTER_IP,
    HEALTH_PORT,
    NODE_PORTS,
    PORTS,
    ServicePort,
)
from kubereach.model.fact import BgpSession, Fact, LogEvent, Outcome, Packet, ProbeKind, ProbeResult, Route, Trust
from kubereach.model.network import Flow

SERVICE_PROBES = frozenset({ProbeKind.TCP, ProbeKind.HTTP, ProbeKind.UDP})
BGP_PORT = 179
PLACEHOLDER = "service/default/(service)"


class Choice(Struct, frozen=True, kw_only=True):
    """What a user fixed on the command line; None where the evidence decides."""

    service: str | None = None  # NS/NAME
    address: str | None = None  # IP or IP:PORT
    client: str | None = None


def choose(services: tuple[str, ...], leaves: Leaves, facts: tuple[Fact, ...], choice: Choice) -> Flow:
    """The flow to diagnose.

    Evident is the address that most probes were sent to and that a service has, then any service with an external
    address, then the probes' target alone. Raises UsageError when the command line names a service that is not there.
    """
    address, port = _split(choice.address or "")
    facts = tuple(f for f in facts if not (isinstance(f, ProbeResult) and _of_the_host_itself(f)))
    probed = _probed(facts)
    service = _named(services, choice.service) if choice.service else ""
    if not service:
        service = _evident(services, leaves, probed, address, _failing(facts))
    if not address:
        owned = leaves.get(service, ADDRESSES) or ()
        failing = _failing(facts)
        pinged = {f.target for f in facts if isinstance(f, ProbeResult) and f.probe not in SERVICE_PROBES}
        pinged -= {f.target for f in facts if isinstance(f, ProbeResult) and f.probe in SERVICE_PROBES}
        peers = _peers_only(facts)
        tried = sorted(probed, key=lambda a: (a in peers, not failing[a], a in pinged, -probed[a]))
        if leaves.get(service, ADDRESSES) == ():
            asked_health = _health_only(service, leaves, facts)
            tried = [a for a in tried if a not in asked_health]
        inner = _inner(service, leaves, facts) & set(tried)
        wanted = [a for a in tried if a in owned] or [a for a in tried if a in inner and failing[a]]
        address = wanted[0] if wanted else owned[0] if owned else next(iter(tried), "")
        if not address and not service:
            address = _logged(facts) or _opened(facts) or _announced(facts)
    return Flow(
        service=service or PLACEHOLDER,
        address=address,
        port=port or _port(leaves.get(service, PORTS) or (), facts, address, leaves.get(service, ADDRESSES) or ()),
        protocol=_protocol(leaves.get(service, PORTS) or (), port, facts, address),
        client=canonical_address(choice.client or "") or _client(facts, address),
    )


def _logged(facts: tuple[Fact, ...]) -> str:
    """The one address that MetalLB's log gives to a service, where nothing else names one."""
    events = [f for f in facts if isinstance(f, LogEvent) and f.event in {"ipAllocated", "serviceAnnounced"}]
    said = {re.sub(r"[\[\]\"]", "", value) for f in events for key, value in f.fields if key in {"ip", "ips"}}
    return (canonical_address(next(iter(said))) or "") if len(said) == 1 else ""


def _opened(facts: tuple[Fact, ...]) -> str:
    """The address that most connections are opened to where they come in, as captures show it.

    Behind the translation the same connection goes to a pod: what leaves an interface is asked only of what came in.
    """
    counted = Counter({f.destination: f.count for f in _arriving(facts)})
    return next((a for a, _ in counted.most_common(1)), "")


def _arriving(facts: tuple[Fact, ...]) -> list[Packet]:
    """The requests for connections that captures do not see leave."""
    opens = [f for f in facts if isinstance(f, Packet) and f.what == "tcp" and f.flags == "S" and f.destination]
    return [f for f in opens if f.direction != "Out"]


def _announced(facts: tuple[Fact, ...]) -> str:
    """An address of the only prefix that the router shows paths to, where nobody names an address of any service."""
    learned = {
        fact.prefix
        for fact in facts
        if isinstance(fact, Route) and fact.device == "router" and fact.protocol == "bgp" and prefix_length(fact.prefix)
    }
    network = parse_prefix(next(iter(learned))) if len(learned) == 1 else None
    return "" if network is None else str(network[0 if network.num_addresses < 3 else 1])


def _of_the_host_itself(tried: ProbeResult) -> bool:
    """A try of the host's own loopback, such as kube-proxy's `localhost:10249`: no flow of a service."""
    return tried.target_name.lower() == "localhost" or contains("127.0.0.0/8", tried.target) or tried.target == "::1"


def _split(text: str) -> tuple[str, int | None]:
    whole = canonical_address(text)
    if whole:
        return whole, None
    host, _, port = text.rpartition(":")
    if text and (address := canonical_address(host)) and port.isdecimal():
        return address, int(port)
    if text:
        raise UsageError(f"--address {text!r} is no IP address", "Give it as IP or IP:PORT, for example 10.0.0.1:80.")
    return "", None


def _named(services: tuple[str, ...], wanted: str) -> str:
    name = wanted if "/" in wanted else f"default/{wanted}"
    if f"service/{name}" in services:
        return f"service/{name}"
    known = ", ".join(s.removeprefix("service/") for s in services) or "none"
    raise UsageError(f"The evidence shows no service {name}", f"Services with an external address in it: {known}.")


def _probed(facts: tuple[Fact, ...]) -> Counter[str]:
    """How many probes were sent to each address; what is only told counts where nothing is shown."""
    tried = [f for f in facts if isinstance(f, ProbeResult) and f.target]
    shown = [f for f in tried if f.trust is not Trust.MENTIONED]
    return Counter(f.target for f in shown or tried)


def _inner(service: str, leaves: Leaves, facts: tuple[Fact, ...]) -> frozenset[str]:
    """Addresses on which one of the service's node ports was tried, and its cluster address."""
    ports = {*(leaves.get(service, NODE_PORTS) or ()), leaves.get(service, HEALTH_PORT)}
    tried = {f.target for f in facts if isinstance(f, ProbeResult) and f.port is not None and f.port in ports}
    return frozenset(tried | {leaves.get(service, CLUSTER_IP) or ""})


def _health_only(service: str, leaves: Leaves, facts: tuple[Fact, ...]) -> frozenset[str]:
    """Addresses that were asked for the service's health alone: a service without an address is asked so, too."""
    tried = [f for f in facts if isinstance(f, ProbeResult) and f.target]
    port = leaves.get(service, HEALTH_PORT)
    return frozenset({f.target for f in tried if port and f.port == port} - {f.target for f in tried if f.port != port})


def _peers_only(facts: tuple[Fact, ...]) -> frozenset[str]:
    """BGP peers that were tried as such: by ping and traceroute, or on TCP port 179, and on no port of a service."""
    tried = [f for f in facts if isinstance(f, ProbeResult) and f.target]
    served = {f.target for f in tried if f.probe in SERVICE_PROBES and f.port != BGP_PORT}
    peers = {f.target for f in tried if f.port == BGP_PORT}
    peers |= {f.peer for f in facts if isinstance(f, BgpSession) and f.peer}
    return frozenset(peers - served)


def _failing(facts: tuple[Fact, ...]) -> Counter[str]:
    """How many probes of each target failed."""
    bad = {Outcome.TIMEOUT, Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.INTERMITTENT, Outcome.FILTERED}
    bad |= {Outcome.SLOW, Outcome.RESETS, Outcome.FAILED}
    return Counter(f.target for f in facts if isinstance(f, ProbeResult) and f.target and f.outcome in bad)


def _evident(
    services: tuple[str, ...], leaves: Leaves, probed: Counter[str], address: str, failing: Counter[str]
) -> str:
    """The service that is meant: of those whose addresses were tried, one where a test failed comes first."""
    tried = any(probed[a] for s in services for a in leaves.get(s, ADDRESSES) or ())

    def weight(service: str) -> tuple[int, ...]:
        owned = leaves.get(service, ADDRESSES)
        asked = sum(probed[a] for a in owned or ())
        refused = int(not owned and bool(leaves.table.get(ALLOCATION_FAULT.of(service))))
        pending = int(owned == () and not tried)  # no service's address tried: what lacks one is what is asked about
        bad = int(any(failing[a] for a in owned or ()))
        return (int(bool(address) and address in (owned or ())), bad, asked, pending + refused, int(owned is not None))

    shown = Counter(subject for subject, _ in leaves.table)  # who asks about one shows more of it than a row
    ranked = sorted(services, key=lambda s: (*(-w for w in weight(s)), -shown[s], s))
    if not ranked or (address and not weight(ranked[0])[0]):
        return ""
    return ranked[0] if any(weight(ranked[0])) or len(services) == 1 else ""


def _port(ports: tuple[ServicePort, ...], facts: tuple[Fact, ...], address: str, owned: tuple[str, ...]) -> int | None:
    tries = [
        f
        for f in facts
        if isinstance(f, ProbeResult)
        and f.target == address
        and f.probe in {ProbeKind.HTTP, ProbeKind.TCP, ProbeKind.UDP}
    ]
    failed = [f.port for f in tries if f.port and f.outcome not in {Outcome.REPLY, Outcome.OPEN}]
    asked = [*failed, *(f.port for f in tries if f.port)]
    served = [p.port for p in ports]
    if served and address not in owned and (node_ports := [p for p in asked if p not in served]):
        return node_ports[0]  # a node's own address: its node port
    if both := [p for p in asked if p in served]:
        return both[0]
    if served:
        return served[0]
    if not asked:
        opened = Counter({f.destination_port: f.count for f in _arriving(facts) if f.destination == address})
        return next((port for port, _ in opened.most_common(1)), None)
    likeliest = failed or asked  # the one that fails is the one that is complained about
    daemons = {22, 179, 6443, 10250}
    candidates = [p for p in dict.fromkeys(likeliest) if p not in daemons] or list(dict.fromkeys(likeliest))
    return candidates[0] if len(candidates) == 1 or (failed and len(failed) == len(asked) / 2) else None


def _protocol(ports: tuple[ServicePort, ...], port: int | None, facts: tuple[Fact, ...], address: str) -> str:
    """The port's own protocol, or UDP where nothing but that was tried."""
    kinds = {f.probe for f in facts if isinstance(f, ProbeResult) and f.target == address} & set(SERVICE_PROBES)
    tried = "UDP" if kinds == {ProbeKind.UDP} else "TCP"
    return next((p.protocol for p in ports if port in {None, p.port}), tried)


def _client(facts: tuple[Fact, ...], address: str) -> str:
    """The address that most outside probes of the target came from."""
    tried = [f for f in facts if isinstance(f, ProbeResult) and f.target == address]
    # Of clients that fare differently, the one that fails is the one that is asked about.
    failed = [
        f for f in tried if f.outcome not in {Outcome.REPLY, Outcome.OPEN, Outcome.SEEN} and f.probe in SERVICE_PROBES
    ]
    named = any(canonical_address(f.source) for f in failed)
    if not named and any(f.source.lower() in CLIENT_NAMES for f in failed):
        tried = [f for f in tried if f.probe not in SERVICE_PROBES]  # the addresses that reached it are others'
    counted = Counter(
        source
        for f in (failed if named else tried)
        if (source := canonical_address(f.source)) and not contains(address, source)
    )
    return next((a for a, _ in counted.most_common(1)), "")
