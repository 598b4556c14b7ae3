"""Nodes that only the router's list of BGP sessions names."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from kubereach.build.hosts import Hosts
from kubereach.model.address import canonical_address
from kubereach.model.fact import BgpSession, Fact, ObjectListing
from kubereach.model.kube_object import KubeObject, ObjectKey

Objects = dict[ObjectKey, KubeObject]
_PRIVATE = ((64512, 65534), (4200000000, 4294967294))  # RFC 6996
# Where the announcers' own objects hold the AS number of the nodes: MetalLB, Calico, Cilium's two generations.
_OWN_AS = {
    "BGPPeer": ("spec.myASN",),
    "BGPConfiguration": ("spec.asNumber",),
    "CiliumBGPPeeringPolicy": ("spec.virtualRouters[0].localASN",),
    "CiliumBGPClusterConfig": ("spec.bgpInstances[0].localASN",),
}


def add_router_neighbours(objects: Objects, facts: tuple[Fact, ...], hosts: Hosts) -> None:
    """Know as nodes the neighbours of the one router shown which have the nodes' AS number.

    Where nothing gives that number, all neighbours have one and the same private number, or none is known.
    """
    if any(isinstance(f, ObjectListing) and f.kind == "Node" and f.complete for f in facts):
        return
    sessions = [f for f in facts if isinstance(f, BgpSession) and not f.given and hosts.resolve(f.device) == "router"]
    if len({f.device for f in sessions}) != 1:
        return
    numbers = set(_numbers(objects)) or _shared(sessions)
    found = {a: f for f in sessions if f.peer_as in numbers and (a := canonical_address(f.peer))}
    strange = {address: f for address, f in found.items() if address not in hosts.owners}
    nameless = [n for n in hosts.nodes if n not in hosts.addresses]
    if len(found) == len(strange) == len(nameless) == len(hosts.nodes):
        # As many as the nodes that only their names are known of: the same, in their order where it does not matter.
        if len({f.state for f in found.values()}) == 1:
            for node, (address, fact) in zip(sorted(nameless), sorted(strange.items(), key=_numeric), strict=True):
                hosts.own(node, address, (fact.origin,), fact.trust)
        return
    for address, fact in strange.items():
        hosts.own(hosts.add_node(f"node/{address}"), address, (fact.origin,), fact.trust)


def _numeric(item: tuple[str, BgpSession]) -> tuple[int, int]:
    address = ip_address(item[0])
    return address.version, int(address)


def _numbers(objects: Objects) -> Iterator[int]:
    for (kind, _, _), entry in objects.items():
        for path in _OWN_AS.get(kind, ()):
            if entry.text(path).isdecimal():
                yield int(entry.text(path))


def _shared(sessions: list[BgpSession]) -> set[int]:
    """The one private AS number of all neighbours."""
    numbers = {f.peer_as for f in sessions}
    private = {n for n in numbers if n is not None and any(low <= n <= high for low, high in _PRIVATE)}
    return private if len(numbers) == 1 else set()
