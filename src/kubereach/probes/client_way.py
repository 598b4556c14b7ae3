"""Where the client's packets for the address go first, and where a trace of them ends.

Asked of the client about `first` (its own look-up, or the first hop of a trace): direct, router (it is known to be the
one that the nodes talk to, or has a leg in that network), other-gateway (known to be another), gateway (nobody knows
which), tunnel (a VPN's device), none. About `trace` (what answers behind that): stops (nobody), away (a host that is no
node, such as the router's own default gateway), node (a node, or the address itself).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model import attribute as a
from kubereach.model.address import contains, parse_address, prefix_length
from kubereach.model.fact import (
    Fact,
    InterfaceAddress,
    Outcome,
    ProbeKind,
    ProbeResult,
    Route,
    RouteListing,
    RouteLookup,
)
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, likeliest, mixed
from kubereach.simulate.walk import Branch, Fate, Packet, walk
from kubereach.simulate.world import World

KIND = "client_way"
BACKGROUND: Distribution = {
    "router": 0.5,
    "direct": 0.2,
    "gateway": 0.15,
    "other-gateway": 0.05,
    "tunnel": 0.05,
    "none": 0.05,
    "stops": 0.6,
    "away": 0.15,
    "node": 0.25,
}
# Devices of VPNs: OpenVPN, PPP, WireGuard, macOS, Tailscale, ZeroTier, Cisco AnyConnect, GlobalProtect.
_TUNNEL = r"(?:tun|tap|ppp|wg|utun|tailscale|zt|cscotun|gpd|ipsec|vpn|nordlynx|proton)\w*$"


def sightings(network: Network) -> Iterable[Sighting]:
    """The client's own look-up, or else the first hop of a trace; and the end of a trace."""
    looked = [f for f in network.observed if isinstance(f, RouteLookup) and f.device == "client"]
    looked = [f for f in looked if f.address == network.flow.address]
    traces = [f for f in network.observed if isinstance(f, ProbeResult) and f.source == "client"]
    traces = [f for f in traces if f.probe is ProbeKind.TRACEROUTE and f.target == network.flow.address and any(f.hops)]
    for lookup in looked[:1]:
        way = " ".join(w for w in (lookup.kind, lookup.via and f"via {lookup.via}", lookup.interface) if w)
        yield _sighting("first", _first(network, lookup), lookup, f"the client's way to the address: {way}")
    for trace in traces[:1]:
        if not looked and trace.hops[0] and trace.hops[0] != network.flow.address:
            says = f"the client's first hop is {trace.hops[0]}"
            yield _sighting("first", _whose(network, trace.hops[0]), trace, says)
        if end := _end(network, trace):
            yield _sighting("trace", end, trace, f"a trace gets as far as {[h for h in trace.hops if h][-1]}")


def _sighting(about: str, answer: str, fact: Fact, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, "client", (about,)),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def _first(network: Network, fact: RouteLookup) -> str:
    if fact.kind in {"unreachable", "prohibit", "blackhole"}:
        return "none"
    if re.match(_TUNNEL, fact.interface):
        return "tunnel"
    return _whose(network, fact.via) if fact.via else "direct"


def _whose(network: Network, gateway: str) -> str:
    """Whose address the client's gateway is, as far as the router's own networks tell."""
    owner = network.owners.get(gateway)
    if owner is not None:
        return "router" if owner == "router" else "other-gateway"
    legs = _legs(network)
    if any(contains(leg, gateway) for leg in legs):
        return "router"
    whole = any(
        isinstance(f, RouteListing) and f.device == "router" and f.complete and not f.prefix and not f.protocol
        for f in network.observed
        if isinstance(f, RouteListing) and f.table == "main"
    )
    return "other-gateway" if legs and whole else "gateway"


def _legs(network: Network) -> tuple[str, ...]:
    """The networks that the router is connected to."""
    routes = [f.prefix for f in network.observed if isinstance(f, Route) and f.device == "router" and f.on_link]
    links = [f for f in network.observed if isinstance(f, InterfaceAddress) and f.device == "router"]
    routes += [f"{f.address}/{f.prefix_length}" for f in links if f.prefix_length > 0]
    return tuple(p for p in routes if prefix_length(p) >= 8 and prefix_length(p) not in {32, 128})


def _end(network: Network, trace: ProbeResult) -> str:
    """What answers behind the router; "" where it is not known which of the hops the router is."""
    hops = [h for h in trace.hops if h]
    nodes = [h for h in hops if h == network.flow.address or network.owners.get(h) in network.nodes]
    if trace.outcome is Outcome.REPLY or nodes:
        return "node"
    uplinks = {
        h.via
        for f in network.observed
        if isinstance(f, Route) and f.device == "router" and prefix_length(f.prefix) == 0
        for h in f.next_hops
        if h.via
    }
    if uplinks & set(hops):
        return "away"
    passed = [i for i, h in enumerate(hops) if _whose(network, h) == "router"]
    if passed:
        return "away" if hops[passed[-1] + 1 :] else "stops"
    private = parse_address(network.flow.address)
    if private is not None and private.is_private and any(_public(h) for h in hops):
        return "away"
    return "stops" if len(hops) == 1 else ""


def _public(hop: str) -> bool:
    address = parse_address(hop)
    return address is not None and address.is_global


def predict(world: World, question: Question) -> Distribution | None:
    """From the client's own leaves, and from the walk of a packet without port."""
    if question.about == ("first",):
        return _out(world)
    flow = world.network.flow
    found = walk(world, flow.service, Packet("client", flow.address, None, "ICMP"))
    return mixed((b.weight, _seen_end(b)) for b in found.branches)


def _out(world: World) -> Distribution:
    """Where the client sends it, which a route of its own may have led astray."""
    if world.get("client", a.CLIENT_ROUTE_WRONG):
        return {"tunnel": 0.3, "other-gateway": 0.22, "gateway": 0.2, "direct": 0.1, "router": 0.08, "none": 0.1}
    if not world.get("client", a.ROUTED) or world.get("client", a.CLIENT_ONLINK):
        return {"direct": 0.97, "router": 0.01, "gateway": 0.01, "other-gateway": 0.01}
    if world.get("router", a.OTHER_ROUTER):
        return {"other-gateway": 0.5, "gateway": 0.4, "router": 0.07, "tunnel": 0.02, "none": 0.01}
    return {"router": 0.5, "gateway": 0.4, "other-gateway": 0.06, "tunnel": 0.02, "direct": 0.01, "none": 0.01}


def _seen_end(branch: Branch) -> Distribution:
    """Routers answer a trace, most nodes do not for an address that they translate."""
    if branch.fate is Fate.NO_ROUTE:
        return {"away": 0.5, "stops": 0.47, "node": 0.03}
    if branch.fate in {Fate.HOST, Fate.DELIVERED}:
        return {"node": 0.85, "stops": 0.12, "away": 0.03}
    if branch.fate in {Fate.REFUSED, Fate.UNREACHABLE, Fate.LOOPS} and branch.entry:
        return {"node": 0.6, "stops": 0.37, "away": 0.03}
    if branch.entry:
        return {"stops": 0.87, "node": 0.1, "away": 0.03}
    return {"stops": 0.75, "away": 0.22, "node": 0.03}


def offers(network: Network) -> Iterable[Offer]:
    """The look-up and the trace."""
    address = network.flow.address
    if not address:
        return
    yield Offer(
        question=Question(KIND, "client", ("first",)),
        where="client",
        command=f"ip route get {address}",
        cost=10,
        words={
            "direct": "no via",
            "router": "via the router",
            "gateway": "via a gateway",
            "other-gateway": "via another gateway",
            "tunnel": "dev of a VPN",
            "none": "unreachable",
        },
    )
    yield Offer(
        question=Question(KIND, "client", ("trace",)),
        where="client",
        command=f"traceroute -n {address}",
        cost=25,
        words={
            "stops": "nothing answers behind the router",
            "away": "it goes on to a host that is no node",
            "node": "a node answers, or the address",
        },
    )


def means(world: World, question: Question) -> str:
    """Where the packets go."""
    return {
        "router": "the client sends it to the router",
        "gateway": "the client sends it to its gateway",
        "other-gateway": "the client's gateway is another router than the nodes' one",
        "tunnel": "the client sends it into a tunnel",
        "direct": "the client asks its own segment",
        "none": "the client has no route to it",
        "stops": "nothing behind the router answers a trace",
        "away": "the router sends it on to somewhere else",
        "node": "it reaches a node",
    }.get(likeliest(predict(world, question)), "")
