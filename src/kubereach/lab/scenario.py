"""What a lab is made of, as data: segments, hosts, services, who announces them and how the nodes forward.

Scenario files are YAML with these fields; an unknown field or a reference to nothing is an error that says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, field

from kubereach.errors import UsageError

PodNetworkKind = Literal["none", "vxlan", "ipip"]
AnnouncerKind = Literal["calico-bgp", "metallb-bgp", "metallb-l2", "kube-vip-arp"]
ProxyMode = Literal["iptables", "nftables", "ipvs"]


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a scenario."""


class Client(_Part, frozen=True, kw_only=True):
    """A host that wants the service, with its default route over the router's address in its segment."""

    segment: str
    address: str
    accepts_redirects: bool = True


class Router(_Part, frozen=True, kw_only=True):
    """The router between the segments: `addresses` by segment.

    A `stateful` one drops what its connection table calls invalid, as RouterOS's default firewall does.
    """

    addresses: Mapping[str, str]
    daemon: Literal["frr", "bird"] = "frr"
    asn: int = 65530
    stateful: bool = False
    sends_redirects: bool = True
    multipath: bool = False


class Node(_Part, frozen=True, kw_only=True):
    """A node of the cluster; `block` is the part of the pod network whose addresses its pods get."""

    address: str
    block: str
    segment: str = "lan"
    control_plane: bool = False
    labels: Mapping[str, str] = {}


class Pod(_Part, frozen=True, kw_only=True):
    """A pod with an HTTP server on `port`; `labels` are what a service's selector looks at."""

    node: str
    address: str
    labels: Mapping[str, str]
    port: int = 80
    ready: bool = True


class Service(_Part, frozen=True, kw_only=True):
    """A Service of type LoadBalancer with one TCP port; one without `address` is of type ClusterIP."""

    address: str
    cluster_ip: str
    selector: Mapping[str, str]
    namespace: str = "default"
    port: int = 80
    port_name: str = ""
    target_port: int = 80
    node_port: int = 31380
    health_port: int = 30425  # spec.healthCheckNodePort: only under policy Local
    policy: Literal["Cluster", "Local"] = "Cluster"
    source_ranges: tuple[str, ...] = ()


class Proxy(_Part, frozen=True, kw_only=True):
    """kube-proxy: its mode and the minor version of Kubernetes (24 for v1.24) whose rules it writes.

    A `real` one is the program itself, which the lab has for v1.20 alone (`lab.kubernetes_build`).
    """

    mode: ProxyMode = "iptables"
    minor: int = 36
    strict_arp: bool = True
    real: bool = False


class BgpFilterRule(_Part, frozen=True, kw_only=True):
    """One export rule of a Calico BGPFilter (projectcalico.org/v3): `matchOperator` and `cidr`, or neither."""

    action: Literal["Accept", "Reject"]
    operator: Literal["", "Equal", "NotEqual", "In", "NotIn"] = ""
    cidr: str = ""


class Announcer(_Part, frozen=True, kw_only=True):
    """Who announces the services' addresses, and what of its configuration matters to the packet."""

    kind: AnnouncerKind = "calico-bgp"
    asn: int = 65500
    mesh: bool = True  # spec.nodeToNodeMeshEnabled of Calico's BGPConfiguration
    lb_cidrs: tuple[str, ...] = ()  # spec.serviceLoadBalancerIPs; for the others the addresses of their pool
    export_filter: tuple[BgpFilterRule, ...] = ()


class PodNetwork(_Part, frozen=True, kw_only=True):
    """The pods' network: its range, and how packets get from node to node."""

    cidr: str = "172.16.0.0/16"
    encapsulation: PodNetworkKind = "none"
    nat_outgoing: bool = True


class Scenario(_Part, frozen=True, kw_only=True):
    """A whole system. `target` names the service whose flow is asked for, `client` who asks."""

    summary: str
    segments: Mapping[str, str]
    router: Router
    clients: Mapping[str, Client]
    nodes: Mapping[str, Node]
    pods: Mapping[str, Pod]
    services: Mapping[str, Service]
    target: str
    client: str = "client"
    proxy: Proxy = field(default_factory=Proxy)
    announcer: Announcer = field(default_factory=Announcer)
    pod_network: PodNetwork = field(default_factory=PodNetwork)
    service_cidr: str = "10.96.0.0/16"  # what cluster IPs are taken from
    faults: tuple[str, ...] = ()  # CODE@SUBJECT, enacted once the system is up

    @property
    def service(self) -> Service:
        """The target service."""
        return self.services[self.target]

    def endpoints(self, service: str) -> tuple[str, ...]:
        """The names of the pods that the service's selector matches, ready or not."""
        wanted = self.services[service].selector.items()
        return tuple(name for name, pod in self.pods.items() if wanted <= pod.labels.items())

    def ready_endpoints(self, service: str, node: str | None = None) -> tuple[str, ...]:
        """The ready endpoints of a service, on every node or on `node` alone."""
        found = (name for name in self.endpoints(service) if self.pods[name].ready)
        return tuple(name for name in found if node in (None, self.pods[name].node))

    def prefix(self, segment: str) -> IPv4Network:
        """A segment's subnet."""
        return IPv4Network(self.segments[segment])

    def gateway(self, segment: str) -> str:
        """The router's address in a segment."""
        return self.router.addresses[segment]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host of the lab, the router first."""
        return ("router", *self.clients, *self.nodes, *self.pods)

    def subjects(self) -> dict[str, str]:
        """Subject (`node/NAME`, `pod/NS/NAME`, `router`, `client`) → host."""
        named = {f"node/{name}": name for name in self.nodes}
        named |= {f"pod/default/{name}": name for name in self.pods}
        return named | {"router": "router", "client": self.client}

    def host_of(self, subject: str) -> str:
        """The host that a subject names. Raises UsageError for one that is not there."""
        try:
            return self.subjects()[subject]
        except KeyError as error:
            raise UsageError(f"there is no {subject} in this lab", f"one of: {', '.join(self.subjects())}") from error


FOLDER = Path(__file__).parent / "scenarios"


def names() -> tuple[str, ...]:
    """The scenarios that come with kubereach."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load(name: str) -> Scenario:
    """A scenario by name, or by the path of a file. Raises UsageError for one that is not there or does not hold."""
    path = Path(name) if "/" in name or name.endswith((".yaml", ".yml", ".json")) else FOLDER / f"{name}.yaml"
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"there is no scenario {name!r}", f"one of: {', '.join(names())}, or a file") from error
    return parse(text, str(path))


def parse(text: bytes, source: str) -> Scenario:
    """A scenario from YAML (and so JSON). Raises UsageError that names the field."""
    try:
        scenario = msgspec.yaml.decode(text, type=Scenario)
        _check(scenario)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise UsageError(
            f"{source} is no scenario: {error}", "the ones in kubereach/lab/scenarios show the fields"
        ) from error
    return scenario


def _check(scenario: Scenario) -> None:
    """References and addresses, which types alone do not hold. Raises ValueError."""
    for name in scenario.segments:
        scenario.prefix(name)
        if name not in scenario.router.addresses:
            raise ValueError(f"the router has no address in segment {name!r}")
    placed = [
        *((f"router.addresses.{segment}", segment, at) for segment, at in scenario.router.addresses.items()),
        *((f"clients.{name}", client.segment, client.address) for name, client in scenario.clients.items()),
        *((f"nodes.{name}", node.segment, node.address) for name, node in scenario.nodes.items()),
    ]
    for what, segment, address in placed:
        if segment not in scenario.segments:
            raise ValueError(f"{what}: there is no segment {segment!r}")
        if IPv4Address(address) not in scenario.prefix(segment):
            raise ValueError(f"{what}: {address} is not in {scenario.segments[segment]}")
    for name, pod in scenario.pods.items():
        if pod.node not in scenario.nodes:
            raise ValueError(f"pods.{name}: there is no node {pod.node!r}")
        if IPv4Address(pod.address) not in IPv4Network(scenario.nodes[pod.node].block):
            raise ValueError(f"pods.{name}: {pod.address} is not in {pod.node}'s block")
    _check_names(scenario)


def _check_names(scenario: Scenario) -> None:
    """What is named must be there, and once. Raises ValueError."""
    if scenario.target not in scenario.services:
        raise ValueError(f"target: there is no service {scenario.target!r}")
    if scenario.client not in scenario.clients:
        raise ValueError(f"client: there is no client {scenario.client!r}")
    names = [*scenario.clients, *scenario.nodes, *scenario.pods]
    if len(set(names)) != len(names) or {"router", "switch"} & set(names):
        raise ValueError("hosts share a name; `router` and `switch` are taken")
    if scenario.proxy.real and (scenario.proxy.minor != 20 or scenario.proxy.mode == "nftables"):
        raise ValueError("proxy.real: the lab has the real kube-proxy for minor 20, modes iptables and ipvs, alone")
