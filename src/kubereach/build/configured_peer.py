"""The router's address as a speaker's own configuration names it: arguments, environment variables, Cilium's peers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubereach.build.hosts import Hosts
from kubereach.model.address import canonical_address
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.origin import Origin

_ARGUMENT = r"--peer-router-ips=(.+)"  # kube-router
_VARIABLES = frozenset({"bgp_peeraddress", "bgp_peers"})  # kube-vip; the second holds ADDRESS:AS:PASSWORD:MULTIHOP,…
_CILIUM = frozenset({"CiliumBGPClusterConfig", "CiliumBGPPeeringPolicy"})


def own_configured_peer(objects: dict[ObjectKey, KubeObject], hosts: Hosts) -> None:
    """Know the router by the one address that the cluster is told to peer with; of several none is known to deliver."""
    found = dict(_peers(objects))
    outside = [address for address in found if hosts.owners.get(address) not in hosts.nodes]
    if len(outside) == 1 and "router" not in hosts.owners.values():
        hosts.own("router", outside[0], (found[outside[0]],))


def _peers(objects: dict[ObjectKey, KubeObject]) -> Iterator[tuple[str, Origin]]:
    for (kind, _, _), entry in objects.items():
        for path, leaf in entry.fields.items():
            text = str(leaf.value)
            if kind == "DaemonSet" and (argument := re.fullmatch(_ARGUMENT, text)):
                texts = argument[1].split(",")
            elif kind == "DaemonSet" and path.endswith(".name") and text in _VARIABLES:
                value = entry.text(f"{path.removesuffix('.name')}.value")
                texts = [part.partition(":")[0] for part in value.split(",")]
            elif kind in _CILIUM and path.endswith("eerAddress"):
                texts = [text.partition("/")[0]]
            else:
                continue
            yield from ((address, leaf.origin) for t in texts if (address := canonical_address(t.strip())))
