"""The BGP sessions between nodes and router as both ends are configured, and the routes that must come of them.

Knobs of a node's end, `announcer/NODE/` +
  asn, peer-asn      its own AS number, and the one that it expects of the router
  peer               the address that it peers with (the router's in the node's segment)
  source             the source address of its session (its own address)
  password           of TCP MD5
  disabled           the session is administratively down
  export-reject      a prefix; whatever is in it is not announced to the router, before all other rules
  next-hop           the next hop of all that is announced to the router (its source address)
  prepend            an AS number put before the path of all that is announced to the router
  ttl-security       ttlSecurity of Calico's BGPPeer, a number of hops (RFC 5082), which the router does not do
  multihop           MetalLB's ebgpMultiHop; Calico's sessions always allow several hops
Knobs of the router's end: see `lab.routers`; `router/peer/NODE/address` is the neighbour's address there.
`router/bfd` runs BFD between the router and all nodes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network

from msgspec import Struct

from kubereach.lab.lab import Lab


class NodeEnd(Struct, frozen=True, kw_only=True):
    """A session as the node is configured."""

    asn: int
    peer: str
    peer_asn: int
    source: str
    password: str = ""
    disabled: bool = False
    multihop: bool = False


class RouterEnd(Struct, frozen=True, kw_only=True):
    """A session as the router is configured."""

    address: str
    asn: int
    password: str = ""
    shutdown: bool = False
    multihop: bool = False


def node_end(lab: Lab, node: str) -> NodeEnd:
    """How a node is told to peer with the router."""
    scenario = lab.scenario
    own = scenario.nodes[node]

    def knob(name: str, default: str = "") -> str:
        return lab.knob(f"announcer/{node}/{name}", default)

    return NodeEnd(
        asn=int(knob("asn", str(scenario.announcer.asn))),
        peer=knob("peer", scenario.gateway(own.segment)),
        peer_asn=int(knob("peer-asn", str(scenario.router.asn))),
        source=knob("source", own.address),
        password=knob("password"),
        disabled=bool(knob("disabled")),
        multihop=bool(knob("multihop")) or scenario.announcer.kind == "calico-bgp",
    )


def router_end(lab: Lab, node: str) -> RouterEnd | None:
    """How the router is told to peer with a node; None for a neighbour that it does not have."""
    scenario = lab.scenario

    def knob(name: str, default: str = "") -> str:
        return lab.knob(f"router/peer/{node}/{name}", default)

    if knob("absent"):
        return None
    return RouterEnd(
        address=knob("address", scenario.nodes[node].address),
        asn=int(knob("asn", str(scenario.announcer.asn))),
        password=knob("password"),
        shutdown=bool(knob("shutdown")),
        # BFD of a session that allows several hops is another protocol (RFC 5883), which both ends have to speak.
        multihop=bool(knob("multihop")) or bool(lab.knob("router/bfd") and scenario.announcer.kind == "calico-bgp"),
    )


def runs(lab: Lab, node: str) -> bool:
    """Whether the announcer of a node is meant to run."""
    return not lab.knob(f"stopped/announcer/{node}")


def agrees(lab: Lab, node: str) -> bool:
    """Whether both ends of a node's session are such that it comes up."""
    near, far = node_end(lab, node), router_end(lab, node)
    if far is None or not runs(lab, node):
        return False
    segments = [lab.scenario.prefix(name) for name in lab.scenario.segments]
    on_link = any(IPv4Address(far.address) in segment for segment in segments)
    return (
        not (near.disabled or far.shutdown or lab.knob(f"announcer/{node}/ttl-security"))
        and near.asn == far.asn
        and near.peer_asn == lab.scenario.router.asn
        and near.source == far.address
        and near.peer in lab.scenario.router.addresses.values()
        and near.password == far.password
        and (on_link or far.multihop)
        and (near.multihop or IPv4Address(near.peer) in lab.scenario.prefix(lab.scenario.nodes[node].segment))
    )


def sessions(lab: Lab) -> tuple[str, ...]:
    """The nodes whose session with the router should be Established."""
    return tuple(node for node in lab.scenario.nodes if agrees(lab, node))


def next_hops(lab: Lab, announced: Mapping[str, Iterable[str]], address: str) -> frozenset[str]:
    """The next hops of the router's best route for `address`, where each node announces `announced`.

    RFC 4271 section 9.1.2.2: all paths are as long as each other, so the lowest router ID wins, which is the node's
    address; with multipath all of them are used. Static routes win over BGP's (administrative distance 1 against 20).
    """
    if lab.knob("router/not-installed"):
        return frozenset()
    prefix, static = longest(static_routes(lab), address)
    candidates: dict[IPv4Network, set[str]] = {}
    for node in sessions(lab):
        hop = lab.knob(f"announcer/{node}/next-hop", node_end(lab, node).source)
        looped = lab.knob(f"announcer/{node}/prepend") == str(lab.scenario.router.asn)
        for text in announced.get(node, ()):
            if accepted(lab, text) and reachable(lab, hop) and not looped:
                candidates.setdefault(IPv4Network(text), set()).add(hop)
    covering = [network for network in candidates if IPv4Address(address) in network]
    best = max(covering, key=lambda network: network.prefixlen, default=None)
    if best is None or (prefix is not None and prefix.prefixlen >= best.prefixlen):
        return frozenset({static}) if static else frozenset()
    hops = candidates[best]
    return frozenset(hops if lab.scenario.router.multipath else {min(hops, key=IPv4Address)})


def rejected(lab: Lab, node: str, prefix: str) -> bool:
    """Whether a node's own export policy (the knob `export-reject`) keeps a prefix back."""
    policy = lab.knob(f"announcer/{node}/export-reject")
    return bool(policy) and IPv4Network(prefix).subnet_of(IPv4Network(policy))


def accepted(lab: Lab, prefix: str) -> bool:
    """Whether the router's import policy lets a prefix in."""
    if lab.knob("router/rfc8212"):
        return False
    policy = lab.knob("router/import")
    return policy != "none" and (policy != "aggregates-only" or IPv4Network(prefix).prefixlen < HOST)


HOST = 32  # the length of a host route


def reachable(lab: Lab, hop: str) -> bool:
    """Whether the router has a connected or static route to a next hop."""
    return any(IPv4Address(hop) in lab.scenario.prefix(name) for name in lab.scenario.segments) or bool(
        longest(static_routes(lab), hop)[1]
    )


def static_routes(lab: Lab) -> dict[str, str]:
    """The router's static routes: prefix → next hop."""
    lead = "router/static/"
    return {path.removeprefix(lead): hop for path, hop in sorted(lab.state.knobs.items()) if path.startswith(lead)}


def longest(routes: Mapping[str, str], address: str) -> tuple[IPv4Network | None, str]:
    """The most specific of `routes` that covers `address`, with its next hop; (None, "") for none."""
    covering = [IPv4Network(prefix) for prefix in routes if IPv4Address(address) in IPv4Network(prefix)]
    best = max(covering, key=lambda network: network.prefixlen, default=None)
    return (None, "") if best is None else (best, routes[str(best)])


def kernel_next_hops(lab: Lab, host: str, address: str) -> frozenset[str]:
    """The next hops of the most specific route to `address`, other than a default route, in a host's kernel."""
    printed = lab.run(host, "ip", "-j", "-4", "route", "show", "match", address).out
    routes = [route for route in json.loads(printed or "[]") if route["dst"] != "default"]
    if not routes:
        return frozenset()
    best = max(routes, key=lambda route: IPv4Network(route["dst"]).prefixlen)
    hops = best.get("nexthops", [best])
    return frozenset(hop["gateway"] for hop in hops if "gateway" in hop)
