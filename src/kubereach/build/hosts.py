"""Who is who: hosts joined on a name, an address that both own, or a statement, and on nothing else."""

from __future__ import annotations

import re

from kubereach.model.address import canonical_address, parse_address
from kubereach.model.fact import (
    BgpSession,
    Fact,
    InterfaceAddress,
    ObjectListing,
    ProbeResult,
    Route,
    RouteListing,
    Setting,
    Trust,
)
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.origin import Origin

Objects = dict[ObjectKey, KubeObject]
ROUTER_NAMES = frozenset({"router", "mikrotik", "gateway", "routeros", "firewall"})
# What network people call their devices, with a number or a place behind it: leaf1, spine-02, rtr-a, core-sw1.
ROUTER_WORDS = (
    r"(?:leaf|spine|tor|rtr|gw|border|core|edge|dist|access|fw)(?:[-_]?(?:sw|rtr|gw|router|switch))?[-_]?[a-z]?\d{0,3}$"
)
CLIENT_NAMES = frozenset({"client", "laptop", "outside", "external", "desktop", "pc"})
MASTER_NAMES = frozenset({"master", "control-plane", "controlplane", "cp"})
WORKER_NAMES = frozenset({"worker", "node"})
# Pods that every manifest of their projects puts on the host network, so that their address is the node's.
HOST_NETWORK_PODS = (
    "calico-node-",
    "kube-proxy-",
    "speaker-",
    "metallb-speaker-",
    "cilium-",
    "kube-vip-",
    "kube-router-",
    "kube-apiserver-",
    "kube-controller-manager-",
    "kube-scheduler-",
    "etcd-",
)
# Links inside a host: of pods, of tunnels, of containers.
INNER_LINKS = r"lo|kube-|cali|tunl|vxlan|flannel|cni|docker|veth|lxc|cilium|br-|virbr"
CONTROL_PLANE_LABELS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z]+", name.lower()))


class Hosts:
    """The hosts that evidence names, and the addresses that they own."""

    def __init__(self) -> None:
        self.nodes: dict[str, None] = {}  # ordered set of subjects
        self.control_plane: dict[str, tuple[Origin, ...]] = {}
        self.owners: dict[str, str] = {}
        self.addresses: dict[str, tuple[str, tuple[Origin, ...], Trust]] = {}
        self.agents: dict[str, str] = {}  # pod name -> node subject

    def add_node(self, subject: str) -> str:
        """Know a node."""
        self.nodes.setdefault(subject)
        return subject

    def own(self, subject: str, address: str, origins: tuple[Origin, ...], trust: Trust = Trust.OUTPUT) -> None:
        """Know that a subject owns an address; the first, more trusted word stands."""
        known = self.addresses.get(subject)
        self.owners.setdefault(address, subject)
        if known is None or trust > known[2]:
            self.addresses[subject] = (address, origins, trust)

    def rename(self, old: str, new: str) -> None:
        """Know that a node so far named by its address is the one named `new`."""
        self.nodes = dict.fromkeys(new if n == old else n for n in self.nodes)
        self.owners = {a: new if s == old else s for a, s in self.owners.items()}
        for table in (self.control_plane, self.addresses):
            if old in table:
                table[new] = table.pop(old)  # type: ignore[assignment]  # one table at a time

    def resolve(self, name: str, *, node_like: bool = False) -> str:
        """The subject that a host name or address in a fact means; "" when it is not known.

        `node_like` says that the fact's format exists on nodes only, so that a strange name is a node's.
        """
        if not name or name.startswith("node/"):
            return self._node_named(name.removeprefix("node/")) if name else ""
        if name.startswith("pod/"):
            pod = name.removeprefix("pod/").rpartition("/")[2]
            return self.agents.get(pod, name) if node_like else name
        if address := canonical_address(name):
            return self.owners.get(address, "client")
        lowered = name.lower()
        if lowered in ROUTER_NAMES or lowered.startswith("router"):
            return "router"
        if lowered in CLIENT_NAMES:
            return "client"
        if known := self._node_named(name, create=False):
            return known
        if re.match(ROUTER_WORDS, lowered):
            return "router"
        return self._node_named(name, create=node_like) if node_like else ""

    def _node_named(self, name: str, *, create: bool = True) -> str:
        subject = f"node/{name}"
        if subject in self.nodes:
            return subject
        similar = [n for n in self.nodes if n.endswith((f"-{name}", f"/{name}")) or n.startswith(f"{subject}.")]
        if len(similar) == 1:
            return similar[0]
        lowered = name.lower()
        if lowered in MASTER_NAMES and len(self.control_plane) == 1:
            return next(iter(self.control_plane))
        workers = [n for n in self.nodes if n not in self.control_plane and not _words(n) & MASTER_NAMES]
        if lowered in WORKER_NAMES and len(workers) == 1:
            return workers[0]
        return self.add_node(subject) if create else ""


def find_hosts(objects: Objects, facts: tuple[Fact, ...]) -> Hosts:
    """All hosts that objects and statements name."""
    hosts = Hosts()
    _from_objects(objects, hosts)
    _from_statements(facts, hosts)
    _from_interfaces(facts, hosts)
    _from_api_server(objects, hosts)
    _from_peers(objects, facts, hosts)
    _from_sources(facts, hosts)
    _from_bound(objects, facts, hosts)
    _from_node_sessions(facts, hosts)
    return hosts


def _from_interfaces(facts: tuple[Fact, ...], hosts: Hosts) -> None:
    """The addresses on the links of a host that nothing else names: whoever peers by one of them is that host.

    Host routes' addresses and those of bridges and tunnels are passed over: several hosts may have the same. Of several
    routers it is not known which one delivers, so theirs are nobody's.
    """
    links = [f for f in facts if isinstance(f, (InterfaceAddress, BgpSession, RouteListing))]
    routers = {f.device for f in links if hosts.resolve(f.device) == "router"}
    for fact in facts:
        if isinstance(fact, Route) and fact.protocol == "local" and len(routers) == 1 and fact.device in routers:
            hosts.owners.setdefault(fact.prefix.partition("/")[0], "router")  # `L 10.0.0.1/32` of Cisco
        if not isinstance(fact, InterfaceAddress) or fact.given or fact.prefix_length in {-1, 32, 128}:
            continue
        address = parse_address(fact.address)
        inner = re.match(INNER_LINKS, fact.interface)
        if inner or address is None or address.is_link_local or address.is_loopback:
            continue
        subject = hosts.resolve(fact.device, node_like=fact.device.lower() not in CLIENT_NAMES)
        if subject.startswith("node/") and str(address) not in hosts.owners:
            hosts.own(subject, str(address), (fact.origin,), fact.trust)
        elif subject == "router" and len(routers) == 1:
            hosts.owners.setdefault(str(address), "router")


def _from_objects(objects: Objects, hosts: Hosts) -> None:
    _from_nodes(objects, hosts)
    _from_pods(objects, hosts)


def _from_nodes(objects: Objects, hosts: Hosts) -> None:
    for (kind, _, name), entry in objects.items():
        if kind == "Node" and "*" not in name:
            subject = hosts.add_node(f"node/{name}")
            address = _internal_address(entry)
            if address:
                hosts.own(subject, address, entry.origins("status.addresses"))
            labels = entry.mapping("metadata.labels")
            roles = entry.text("metadata.roles")
            if "control-plane" in roles or "master" in roles or any(k in labels for k in CONTROL_PLANE_LABELS):
                hosts.control_plane[subject] = entry.origins("metadata")


def _from_pods(objects: Objects, hosts: Hosts) -> None:
    for (kind, _, name), entry in objects.items():
        if kind == "Pod" and (node := entry.text("spec.nodeName")):
            subject = hosts.add_node(f"node/{node}")
            hosts.agents[name] = subject
            shared = entry.value("spec.hostNetwork") is True or name.startswith(HOST_NETWORK_PODS)
            path = "status.podIP" if shared and not entry.has("status.hostIP") else "status.hostIP"
            if host := canonical_address(entry.text(path)):
                hosts.own(subject, host, entry.origins(path))
        if kind in {"Endpoints", "EndpointSlice"}:
            for path, leaf in entry.fields.items():
                if path.endswith(".nodeName") and leaf.value:
                    hosts.add_node(f"node/{leaf.value}")


def _internal_address(entry: KubeObject) -> str:
    for element in entry.elements("status.addresses"):
        if element.text("type") == "InternalIP":
            return canonical_address(element.text("address")) or ""
    return canonical_address(entry.text("status.addresses.InternalIP")) or ""


def _from_statements(facts: tuple[Fact, ...], hosts: Hosts) -> None:
    for fact in facts:
        if not isinstance(fact, Setting):
            continue
        kind, _, name = fact.subject.partition("/")
        address = canonical_address(str(fact.value))
        if kind == "node" and name and "*" not in name:
            subject = hosts.resolve(f"node/{name}")
            if fact.attribute in {"address", "status.addresses.InternalIP"} and address:
                hosts.own(subject, address, (fact.origin,), fact.trust)
        elif fact.subject in {"router", "client"} and fact.attribute == "address" and address:
            hosts.own(fact.subject, address, (fact.origin,), fact.trust)
        elif kind == "address" and fact.attribute == "role":
            _role(name, str(fact.value), fact, hosts)


def _role(address: str, role: str, fact: Fact, hosts: Hosts) -> None:
    canonical = canonical_address(address)
    if canonical is None:
        return
    if role in {"router", "gateway"}:
        hosts.own("router", canonical, (fact.origin,), fact.trust)
    elif role == "client":
        hosts.own("client", canonical, (fact.origin,), fact.trust)
    elif role in {"control-plane", "worker", "node"}:
        subject = hosts.owners.get(canonical) or hosts.add_node(f"node/{canonical}")
        hosts.own(subject, canonical, (fact.origin,), fact.trust)
        if role == "control-plane":
            hosts.control_plane[subject] = (fact.origin,)


def _from_api_server(objects: Objects, hosts: Hosts) -> None:
    """The endpoints of `default/kubernetes` are API servers, and so control-plane nodes.

    Only when the evidence shows one: behind several addresses an external load balancer may stand as well.
    """
    entry = objects.get(("Endpoints", "default", "kubernetes"))
    if entry is None:
        return
    for subset in entry.elements("subsets"):
        for element in subset.elements("addresses"):
            if address := canonical_address(element.text("ip")):
                origins = element.origins("ip")
                subject = hosts.owners.get(address) or hosts.add_node(f"node/{address}")
                hosts.own(subject, address, origins)
                hosts.control_plane.setdefault(subject, origins)


def _from_sources(facts: tuple[Fact, ...], hosts: Hosts) -> None:
    """Nodes that only probes name. One whose name says its role is the control plane's address, if only one has none.

    `k8s-master` and an address that is stated to be the master's are one host by statement.
    """
    for fact in facts:
        for name in (fact.source, fact.at) if isinstance(fact, ProbeResult) else ():
            if not name.startswith("node/") or hosts.resolve(name, node_like=True) not in hosts.nodes:
                continue
            subject = hosts.resolve(name)
            words = _words(name)
            nameless = [n for n in hosts.control_plane if n.removeprefix("node/") in hosts.owners]
            if (
                words & MASTER_NAMES
                and subject not in hosts.addresses
                and len(nameless) == 1
                and subject not in nameless
            ):
                hosts.rename(nameless[0], subject)


def _from_bound(objects: Objects, facts: tuple[Fact, ...], hosts: Hosts) -> None:
    """A host that has a service's address on an interface, with its full length, is a node."""
    wanted = {f.target for f in facts if isinstance(f, ProbeResult) and f.target}
    for (kind, _, _), entry in objects.items():
        if kind == "Service":
            wanted |= {element.text("ip") for element in entry.elements("status.loadBalancer.ingress")}
    for fact in facts:
        if isinstance(fact, InterfaceAddress) and fact.address in wanted and fact.prefix_length in {32, 128}:
            hosts.resolve(fact.device, node_like=True)


def _from_peers(objects: Objects, facts: tuple[Fact, ...], hosts: Hosts) -> None:
    for (kind, _, _), entry in objects.items():
        if kind == "BGPPeer":
            address = canonical_address(entry.text("spec.peerIP", "spec.peerAddress").partition(":")[0])
            if address and address not in hosts.owners:
                hosts.own("router", address, entry.origins("spec"))
    all_known = any(isinstance(f, ObjectListing) and f.kind == "Node" and f.complete for f in facts)
    for fact in facts:
        if isinstance(fact, BgpSession) and fact.peer and "mesh" in fact.peer_type:
            # The other end of a mesh session is a node: a new one, where not all of them are known.
            if fact.peer not in hosts.owners and not all_known:
                hosts.own(hosts.add_node(f"node/{fact.peer}"), fact.peer, (fact.origin,), fact.trust)
        elif isinstance(fact, BgpSession) and fact.peer and fact.peer_type in {"global", "node specific"}:
            hosts.owners.setdefault(fact.peer, "router")
            hosts.addresses.setdefault("router", (fact.peer, (fact.origin,), fact.trust))


def _from_node_sessions(facts: tuple[Fact, ...], hosts: Hosts) -> None:
    """Whom a node's own daemon lists as neighbour, and who is no node, is a router."""
    sessions = [f for f in facts if isinstance(f, BgpSession) and f.peer and not f.peer_type]
    listed = {hosts.resolve(f.device) for f in sessions}
    for fact in sessions if "router" not in listed or len(listed) > 1 else ():
        if hosts.resolve(fact.device) in hosts.nodes and canonical_address(fact.peer):
            hosts.owners.setdefault(fact.peer, "router")
            hosts.addresses.setdefault("router", (fact.peer, (fact.origin,), fact.trust))
