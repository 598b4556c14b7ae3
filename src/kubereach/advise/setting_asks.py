"""Settings that hypotheses differ in, as questions: a policy or a mode that nobody showed separates causes as well.

What a table or a daemon shows is a matter of `probes`; a leaf of the configuration has one value in each world, so
its prediction is that value. Values that stand for a range (a version) are worded as the range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from kubereach.build.target import PLACEHOLDER
from kubereach.model.attribute import (
    ANNOUNCER,
    ENCAPSULATION,
    ENDPOINTS,
    KUBERNETES_MINOR,
    POLICY,
    PROXY_MODE,
    Attribute,
    Key,
)
from kubereach.model.fact import ObjectListing, Trust
from kubereach.model.network import Network
from kubereach.probes.objects import CILIUM, METALLB, about_service, listed

KUBECTL = "any host with kubectl"
SECONDS = 20.0


class SettingAsk(Struct, frozen=True):
    """A leaf, the command that shows it, and how a value of it reads."""

    key: Key
    command: str
    words: Callable[[object], str]


def setting_asks(network: Network) -> tuple[SettingAsk, ...]:
    """One for each leaf that no program's output gives yet."""
    return tuple(ask for ask in _all(network) if not _settled(network, ask.key))


def _settled(network: Network, key: Key) -> bool:
    seen = network.settings.get(key)
    return seen is not None and seen.trust >= Trust.OUTPUT


def _all(network: Network) -> Iterable[SettingAsk]:
    service = network.flow.service
    namespace, _, name = service.removeprefix("service/").partition("/")
    which = "-A" if service == PLACEHOLDER else f"-n {namespace} {name}"
    command = about_service(network, f"kubectl get service {which} -o yaml")
    yield SettingAsk(_key(POLICY, service), command, lambda value: f"externalTrafficPolicy: {value}")
    command = about_service(network, "kubectl get endpointslices -A -o yaml")
    yield SettingAsk(_key(ENDPOINTS, service), command, _places)
    command = "kubectl -n kube-system get configmap kube-proxy -o yaml"
    yield SettingAsk(_key(PROXY_MODE, "cluster"), command, _mode)
    command = about_service(network, "kubectl get nodes -o wide")
    yield SettingAsk(_key(KUBERNETES_MINOR, "cluster"), command, _version)
    yield from _who_announces(network)
    if "calico" in network.stack:
        command = "kubectl get ippools -o yaml"
        yield SettingAsk(_key(ENCAPSULATION, "cluster"), command, lambda value: f"encapsulation {value}")


def _who_announces(network: Network) -> Iterable[SettingAsk]:
    """The products by their pods, and the way of announcing by the product's own objects."""
    key, stack = _key(ANNOUNCER, "cluster"), network.stack
    listings = [f for f in network.observed if isinstance(f, ObjectListing) and f.kind == "Pod" and f.complete]
    if all(f.namespace for f in listings):
        yield SettingAsk(key, "kubectl get pods -A -o wide", lambda value: f"agents of {_product(value)}")
    if "metallb" in stack and not listed(network, "L2Advertisement", "BGPAdvertisement"):
        yield SettingAsk(key, METALLB, lambda value: f"objects of {value}")
    if "cilium" in stack and not listed(network, "CiliumL2AnnouncementPolicy", "CiliumBGPAdvertisement"):
        yield SettingAsk(key, CILIUM, lambda value: f"objects of {value}")
    if "kube-vip" in stack and not listed(network, "DaemonSet"):
        command = "kubectl -n kube-system get daemonset kube-vip-ds -o yaml"
        yield SettingAsk(key, command, lambda value: "bgp_enable" if value == "kube-vip-bgp" else "vip_arp")


def _product(announcer: object) -> str:
    return re.sub(r"-(?:l2|bgp|arp)$", "", str(announcer))


def _key(attribute: Attribute[Any], subject: str) -> Key:
    return attribute.of(subject)


def _mode(value: object) -> str:
    return "no such ConfigMap, or eBPF in its place" if value == "ebpf" else f"mode: {value}"


def _version(value: object) -> str:
    """The turning points of kube-proxy's behaviour (simulate.proxy)."""
    minor = value if isinstance(value, int) else 0
    return "v1.26 or newer" if minor >= 26 else "v1.24 or v1.25" if minor >= 24 else "older than v1.24"


def _places(value: object) -> str:
    ready = [e for e in value if e.ready] if isinstance(value, tuple) else []
    nodes = sorted({e.node.removeprefix("node/") for e in ready if e.node})
    if nodes:
        return f"ready pods on {' and '.join(nodes)}"
    return "ready pods" if ready else "no ready pod"
