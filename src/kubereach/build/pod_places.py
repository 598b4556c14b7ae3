"""Which node runs the flow's pods, and what carries packets to them, as captures and routes of nodes show it.

A pod's end of its veth pair, or the CNI's bridge, is on the pod's own node: what leaves by it there is delivered, and a
host route that points to it is the pod's (Calico's Felix writes one for each pod, Cilium's routing in the same way).
What leaves by a tunnel goes to another node, encapsulated as the tunnel's kind says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from kubereach.build.leaves import Leaves
from kubereach.model.address import host_prefix
from kubereach.model.attribute import ENCAPSULATION, ENDPOINTS, Endpoint
from kubereach.model.fact import AnyFact, Packet, Route, RouteLookup, Trust, VirtualServer
from kubereach.model.network import Flow
from kubereach.model.origin import Origin

# Calico, Cilium, most CNIs' veth pairs; bridges of the bridge plugin, kubenet, kube-router and docker.
_POD_END = r"(?:cali[0-9a-f]|lxc(?!_health)|veth|cni\d|cbr\d|kube-bridge|docker\d)"
# Calico, flannel, Cilium; kube-router's `tun-` and a hash. Geneve is not told apart from VXLAN in the model.
_TUNNELS = (("ipip", r"(?:tunl\d|ipip|tun-[0-9a-z]{2,})"), ("vxlan", r"(?:vxlan|flannel\.\d|cilium_(?:vxlan|geneve))"))
Place = tuple[str, Origin]  # (node, what shows it)


def put_pod_places(observed: tuple[AnyFact, ...], flow: Flow, nodes: Iterable[str], leaves: Leaves) -> None:
    """Put the nodes of the flow's endpoints where `observed` shows them, and the encapsulation between nodes.

    A leaf that already says so stands. Endpoints that nothing else lists are those that the flow's own packets went to.
    """
    known = {*nodes}
    key = ENDPOINTS.of(flow.service)
    seen = leaves.get(flow.service, ENDPOINTS)
    backends = _backends(observed, flow) if seen is None else ()
    addresses = {e.address for e in seen or backends if e.address}
    delivered = [p for p in observed if isinstance(p, Packet) and p.device in known and _to_pod(p, flow, addresses)]
    _put_encapsulation(delivered, leaves)
    places = _places(delivered, observed, addresses, known)
    if not places or any(e.node for e in seen or ()) or seen == ():
        return
    ends = seen or backends or tuple(Endpoint(address) for address in places)
    located = tuple(replace(e, node=places[e.address][0]) if e.address in places else e for e in ends)
    where = [origin for _, origin in places.values()]
    if seen is None:
        leaves.put(flow.service, ENDPOINTS, located, where, Trust.MENTIONED)
    else:
        leaves.table[key] = replace(leaves.table[key], value=located)


def _backends(observed: tuple[AnyFact, ...], flow: Flow) -> tuple[Endpoint, ...]:
    """The real servers of the flow's virtual server, on the node that lists most of them."""
    lists = [
        [Endpoint(r.address, port=r.port) for r in f.real_servers if r.weight != 0]
        for f in observed
        if isinstance(f, VirtualServer) and f.address == flow.address and flow.port in {None, f.port}
    ]
    longest = max(lists, key=len, default=[])
    return tuple(longest)


def _to_pod(packet: Packet, flow: Flow, addresses: set[str]) -> bool:
    """Whether it is a request on its last leg: to a known endpoint, or of the client to other than the address."""
    asks = packet.what == "tcp" and packet.flags == "S" and packet.direction == "Out"
    own = not addresses and bool(flow.client) and packet.source == flow.client and packet.destination != flow.address
    return asks and bool(packet.interface) and (packet.destination in addresses or own)


def _places(
    delivered: list[Packet], observed: tuple[AnyFact, ...], addresses: set[str], nodes: set[str]
) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for packet in delivered:
        if re.match(_POD_END, packet.interface):
            found.setdefault(packet.destination, (packet.device, packet.origin))
    for fact in observed:
        address = next((a for a in addresses if _is_way_to(fact, a)), "")
        if address and isinstance(fact, (Route, RouteLookup)) and fact.device in nodes:
            found.setdefault(address, (fact.device, fact.origin))
    return found


def _is_way_to(fact: AnyFact, address: str) -> bool:
    if isinstance(fact, RouteLookup):
        return fact.address == address and not fact.via and re.match(_POD_END, fact.interface) is not None
    if not isinstance(fact, Route) or fact.prefix != host_prefix(address):
        return False
    return any(not hop.via and re.match(_POD_END, hop.interface) for hop in fact.next_hops)


def _put_encapsulation(delivered: list[Packet], leaves: Leaves) -> None:
    if leaves.get("cluster", ENCAPSULATION) is not None:
        return
    for packet in delivered:
        kind = next((kind for kind, pattern in _TUNNELS if re.match(pattern, packet.interface)), "")
        if kind:
            leaves.put("cluster", ENCAPSULATION, kind, (packet.origin,))
