"""BGP peers that speakers name in places of their own, not in a BGPPeer: Cilium's resources, kube-vip's environment,
kube-router's arguments.

Sources: Cilium bgp-control-plane v1 and v2 (CiliumBGPPeeringPolicy, CiliumBGPClusterConfig); kube-vip's flags and
environment variables; kube-router's user guide (--peer-router-ips).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubereach.model.address import canonical_address
from kubereach.model.attribute import Peer
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.origin import Origin

Objects = dict[ObjectKey, KubeObject]
Found = Iterator[tuple[Peer, tuple[Origin, ...]]]


def speakers_peers(objects: Objects) -> Found:
    """Every peer that is named, with where it stands; one without an address that can be read is left out."""
    for (kind, _, name), entry in objects.items():
        if kind in {"CiliumBGPClusterConfig", "CiliumBGPPeeringPolicy"}:
            yield from _of_cilium(entry)
        elif kind in {"DaemonSet", "Pod"} and re.match(r"kube-?vip(?!-cloud)", name):
            yield from _of_kube_vip(entry)
        elif kind in {"DaemonSet", "Pod"} and name.startswith("kube-router"):
            yield from _of_kube_router(entry)


def _of_cilium(entry: KubeObject) -> Found:
    for instances, peers in (("spec.bgpInstances", "peers"), ("spec.virtualRouters", "neighbors")):
        for instance in entry.elements(instances):
            for element in instance.elements(peers):
                address = canonical_address(element.text("peerAddress").partition("/")[0])
                if address:
                    hops = element.number("eBGPMultihopTTL") or 1
                    yield Peer(address, element.number("peerASN"), multihop=hops > 1), entry.origins(instances)


def _of_kube_vip(entry: KubeObject) -> Found:
    """`bgp_peeraddress` and its neighbours; `bgp_peers` holds ADDRESS:AS:PASSWORD:MULTIHOP, separated by commas."""
    values: dict[str, str] = {}
    origins: list[Origin] = []
    for path, leaf in entry.fields.items():
        value = entry.fields.get(f"{path.removesuffix('.name')}.value")
        if re.search(r"\.env\[\d+\]\.name$", path) and str(leaf.value).startswith("bgp_") and value:
            values[str(leaf.value)] = str(value.value)
            origins.append(value.origin)
    if values.get("bgp_enable", "").lower() != "true":
        return
    multihop = values.get("bgp_multihop", "").lower() == "true"
    named = [(values.get("bgp_peeraddress", ""), values.get("bgp_peeras", ""), multihop)]
    for text in values.get("bgp_peers", "").split(","):
        parts = [*text.split(":"), "", "", ""]
        named.append((parts[0], parts[1], parts[3].lower() == "true"))
    for text, number, hops in named:
        if address := canonical_address(text.strip()):
            asn = int(number) if number.isdecimal() and len(number) <= 10 else None
            yield Peer(address, asn, multihop=hops), tuple(origins)


def _of_kube_router(entry: KubeObject) -> Found:
    options: dict[str, str] = {}
    origins: list[Origin] = []
    for path, leaf in entry.fields.items():
        given = re.fullmatch(r"--peer-router-(ips|asns|multihop-ttl)=(.{1,400})", str(leaf.value))
        if given and re.search(r"\.(?:args|command)\[\d+\]$", path):
            options[given[1]] = given[2]
            origins.append(leaf.origin)
    numbers = options.get("asns", "").split(",")
    far = options.get("multihop-ttl", "1")
    for i, text in enumerate(options.get("ips", "").split(",")):
        if address := canonical_address(text.strip()):
            number = numbers[i].strip() if i < len(numbers) else ""
            asn = int(number) if number.isdecimal() and len(number) <= 10 else None
            yield Peer(address, asn, multihop=far.isdecimal() and len(far) < 4 and int(far) > 1), tuple(origins)
