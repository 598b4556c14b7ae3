"""What links, default routes, modes and device words say about ways on which flows fail in part or on their way back.

Each leaf is a doubt in words, "" where it was looked at and nothing is wrong; faults take their prior from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.build.router_routes import put_router_routes, texts
from kubereach.model.address import canonical_address, contains, family, prefix_length
from kubereach.model.attribute import (
    BEHIND_REFLECTOR,
    DEFAULT_DOUBT,
    DIRECT_RETURN,
    ENCAPSULATION,
    MTU_DOUBT,
    MULTIHOMED_DOUBT,
    NO_PEER_DOUBT,
    PEERS,
    ROUTED,
    SHARED_LAN,
)
from kubereach.model.fact import (
    AnyFact,
    BgpListing,
    BgpSession,
    Interface,
    InterfaceAddress,
    ObjectListing,
    Route,
    RouteListing,
    Trust,
)
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.network import Flow
from kubereach.model.origin import Origin

Objects = dict[ObjectKey, KubeObject]
# Octets that a tunnel adds (calico.md section 9: VXLAN 50, IPIP 20, WireGuard 60 on IPv4).
_OVERHEAD = (
    ("vxlan", 50),
    ("flannel", 50),
    ("tunl", 20),
    ("ipip", 20),
    ("tun-", 20),
    ("wireguard", 60),
    ("geneve", 50),
)
_PODS = r"cali|veth|lxc|cilium_(?:host|net)|cni|docker|br-|virbr|lo$|kube-|dummy|nodelocaldns"
_USUAL_MTU = 1500
_ALL_ADDRESSES = r"(?:\S*/)?ip(?: -\S+)* a(?:d|dd|ddr|ddress)?(?: (?:s|sh|show|l|ls|list))?"
_PEER_KINDS = frozenset({"BGPPeer", "CiliumBGPClusterConfig", "CiliumBGPPeeringPolicy"})
_DSR = r"dsr|direct.?(?:server.?)?return"


def put_links(observed: tuple[AnyFact, ...], objects: Objects, flow: Flow, hosts: Hosts, leaves: Leaves) -> None:
    """Put all doubts of this kind."""
    _put_mtu(observed, hosts, leaves)
    _put_default_routes(observed, hosts, leaves)
    _put_second_interfaces(observed, flow, hosts, leaves)
    _put_modes(observed, objects, leaves)
    _put_segment(observed, hosts, leaves)
    _put_peers(observed, hosts, leaves)
    put_router_routes(observed, flow, hosts, leaves)


def _tunnel(name: str) -> int:
    return next((octets for word, octets in _OVERHEAD if re.search(rf"(?:^|[._]){word}", name)), 0)


def _put_mtu(observed: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    links = [f for f in observed if isinstance(f, Interface) and f.mtu and f.device in {*hosts.nodes, "router"}]
    uplinks = [f for f in links if not _tunnel(f.name) and not re.match(_PODS, f.name) and (f.mtu or 0) < 9999]
    tunnels = [f for f in links if _tunnel(f.name)]
    if not uplinks:
        return
    small = min(uplinks, key=lambda f: f.mtu or 0)
    doubt, where = "", small.origin
    for tunnel in tunnels:
        if (tunnel.mtu or 0) + _tunnel(tunnel.name) > (small.mtu or 0):
            doubt = (
                f"{tunnel.name} carries {tunnel.mtu} octets, {small.name or 'the uplink'} {small.mtu} with its header"
            )
            where = tunnel.origin
    encapsulated = (leaves.get("cluster", ENCAPSULATION) or "none") != "none"
    if not doubt and (small.mtu or 0) < _USUAL_MTU and not tunnels:
        doubt = f"{small.name or 'a link'} carries {small.mtu} octets only"
        doubt += ", less what the tunnel adds" if encapsulated else ""
    if not doubt and len({f.mtu for f in uplinks}) > 1:
        doubt = "links differ: " + ", ".join(sorted({f"{f.device.removeprefix('node/')} {f.mtu}" for f in uplinks}))
    leaves.put("cluster", MTU_DOUBT, doubt, (where,), small.trust)


def _put_default_routes(observed: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """A node's default route that is missing, or that leads past the router which delivers.

    A gateway on another link of the node than the router's known address may be the same router.
    """
    router = [a for a, owner in hosts.owners.items() if owner == "router"]
    legs = [f for f in observed if isinstance(f, InterfaceAddress) and _leg(f)]
    for fact in observed:
        if isinstance(fact, Route) and fact.device in hosts.nodes and fact.prefix in {"0.0.0.0/0", "::/0"}:
            vias = [h.via for h in fact.next_hops if h.via]
            links = [f"{f.address}/{f.prefix_length}" for f in legs if f.device == fact.device]
            other = [
                v
                for v in vias
                if router and v not in router and family(v) == family(router[0]) and _on_one_link(v, router, links)
            ]
            doubt = f"its default route leads to {other[0]}, and the router is {router[0]}" if other else ""
            if vias and router:
                leaves.put(fact.device, DEFAULT_DOUBT, doubt, (fact.origin,), fact.trust)
        elif isinstance(fact, RouteListing) and fact.device in hosts.nodes and fact.complete and fact.table == "main":
            asked = not fact.prefix or fact.prefix in {"0.0.0.0/0", "::/0"}
            routes = [f for f in observed if isinstance(f, Route) and f.device == fact.device and f.table == "main"]
            if asked and not fact.protocol and not any(r.prefix in {"0.0.0.0/0", "::/0"} for r in routes):
                leaves.put(fact.device, DEFAULT_DOUBT, "it has no default route", (fact.origin,), fact.trust)


def _on_one_link(gateway: str, router: Iterable[str], links: Iterable[str]) -> bool:
    """Whether a router's address is on the gateway's link, for which a /24 or /64 stands where it is not shown."""
    usual = f"{gateway}/64" if ":" in gateway else f"{gateway}/24"
    link = next((link for link in links if contains(link, gateway)), usual)
    return any(contains(link, address) for address in router)


def _put_second_interfaces(observed: tuple[AnyFact, ...], flow: Flow, hosts: Hosts, leaves: Leaves) -> None:
    """Nodes with legs in several subnets; the worse when the address lies on another one than the default route."""
    for node in hosts.nodes:
        legs = [f for f in observed if isinstance(f, InterfaceAddress) and f.device == node and _leg(f)]
        legs += _connected(observed, node) if not legs else []
        if len({f.interface for f in legs}) < 2:
            if legs and re.fullmatch(_ALL_ADDRESSES, legs[0].origin.command):
                leaves.put(node, MULTIHOMED_DOUBT, "", (legs[0].origin,), legs[0].trust)
            continue
        defaults = [
            h.interface
            for f in observed
            if isinstance(f, Route) and f.device == node and f.prefix in {"0.0.0.0/0", "::/0"}
            for h in f.next_hops
        ]
        on_leg = [f for f in legs if flow.address and contains(f"{f.address}/{f.prefix_length}", flow.address)]
        doubt = f"it has legs in {len(legs)} subnets: " + ", ".join(f.interface for f in legs)
        if on_leg and any(defaults) and on_leg[0].interface not in defaults:
            doubt = f"{flow.address} is on the link of {on_leg[0].interface}, and the default route is by {defaults[0]}"
        leaves.put(node, MULTIHOMED_DOUBT, doubt, (legs[0].origin,), legs[0].trust)


def _connected(observed: tuple[AnyFact, ...], node: str) -> list[InterfaceAddress]:
    """The legs as the connected routes of a node show them, where its addresses are not shown."""
    legs = [
        InterfaceAddress(
            origin=route.origin,
            trust=route.trust,
            device=node,
            interface=route.next_hops[0].interface,
            address=route.prefix.partition("/")[0],
            prefix_length=prefix_length(route.prefix),
        )
        for route in observed
        if isinstance(route, Route) and route.device == node and route.protocol in {"connected", "kernel"}
        if route.next_hops and not route.next_hops[0].via and route.next_hops[0].interface
    ]
    return [leg for leg in legs if _leg(leg)]


def _leg(fact: InterfaceAddress) -> bool:
    private = re.match(_PODS, fact.interface) or _tunnel(fact.interface)
    return not private and "." in fact.address and 8 <= fact.prefix_length < 31


def _put_modes(observed: tuple[AnyFact, ...], objects: Objects, leaves: Leaves) -> None:
    for fact, text in texts(observed):
        negative = str(fact.value).lower() in {"false", "off", "no", "snat", "disabled", "tunnel-off"}
        if re.search(rf"\b(?:{_DSR})\b", text) and not negative:
            leaves.put("cluster", DIRECT_RETURN, value=True, origins=(fact.origin,), trust=fact.trust)
        if "reflector" in f"{fact.subject} {text}":
            leaves.put("cluster", BEHIND_REFLECTOR, value=True, origins=(fact.origin,), trust=fact.trust)
    for (kind, _, name), entry in objects.items():
        for path, leaf in entry.fields.items():
            lowered = f"{path} {leaf.value}".lower()
            if kind in {"Service", "ConfigMap", "FelixConfiguration"} and re.search(
                r"service\.dsr\b|(?:lb-mode|loadbalancer\.mode)\W{1,3}(?:dsr|hybrid)|externalservicemode dsr",
                lowered,
            ):
                leaves.put("cluster", DIRECT_RETURN, value=True, origins=(leaf.origin,))
            if kind in {"Node", "BGPPeer"} and re.search(
                r"routereflectorclusterid|route-?reflector", f"{lowered} {name}"
            ):
                leaves.put("cluster", BEHIND_REFLECTOR, value=True, origins=(leaf.origin,))


def _put_segment(observed: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """A stated subnet of the client that holds the nodes too."""
    nodes = [hosts.addresses[n][0] for n in hosts.nodes if n in hosts.addresses]
    subnets: list[tuple[str, Origin]] = []
    for fact, _ in texts(observed):
        if (
            fact.subject == "client"
            and re.search(r"subnet|network|segment|vlan", fact.attribute)
            and "/" in str(fact.value)
        ):
            subnets.append((str(fact.value), fact.origin))
        elif fact.subject.startswith("node/") and re.search(r"addr|internalip", fact.attribute.lower()):
            nodes += [a for part in str(fact.value).split("-") if (a := canonical_address(part))]
    for subnet, origin in subnets:
        if nodes:
            shared = any(contains(subnet, node) for node in nodes)
            leaves.put("client", SHARED_LAN, shared, (origin,), Trust.STATED)
            if shared and leaves.get("client", ROUTED) is None:
                leaves.put("client", ROUTED, value=True, origins=(origin,), trust=Trust.MENTIONED)


def _put_peers(observed: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """A node's whole list of sessions that holds other nodes only: nobody is told to talk to the router."""
    if leaves.get("cluster", PEERS):
        return
    for fact in observed:
        if isinstance(fact, BgpListing) and fact.complete and fact.device in hosts.nodes:
            mine = [f for f in observed if isinstance(f, BgpSession) and f.device == fact.device]
            if not any("mesh" not in f.peer_type and hosts.owners.get(f.peer) not in hosts.nodes for f in mine):
                says = "its list of sessions names no router"
                leaves.put("router", NO_PEER_DOUBT, says, (fact.origin,), fact.trust)
        elif isinstance(fact, ObjectListing) and fact.kind in _PEER_KINDS and fact.complete and not fact.names:
            leaves.put("router", NO_PEER_DOUBT, f"there is no {fact.kind}", (fact.origin,), fact.trust)
