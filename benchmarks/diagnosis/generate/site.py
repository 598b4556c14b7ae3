"""The cluster, its router and its client, as plain changeable records. A fault changes them; renderers print them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from random import Random

from benchmarks.diagnosis.generate.flow import Loss, Route

L2 = frozenset({"metallb-l2", "cilium-l2", "kube-vip-arp", "keepalived"})
BGP = frozenset({"calico", "metallb-bgp", "metallb-frr", "cilium-bgp", "kube-vip-bgp", "kube-router"})
METALLB = frozenset({"metallb-l2", "metallb-bgp", "metallb-frr"})
CILIUM = frozenset({"cilium-l2", "cilium-bgp"})
KUBE_VIP = frozenset({"kube-vip-arp", "kube-vip-bgp"})
# MetalLB's controller gives out the addresses here, whoever announces them.
METALLB_ALLOCATES = METALLB | {"calico"}
STACKS = (*sorted(L2), *sorted(BGP), "klipper")
ROUTERS = ("routeros6", "routeros7", "frr", "bird", "ios", "eos")
# name of the agent's pods, namespace, label
AGENTS = {
    "calico": ("calico-node", "calico-system", "k8s-app=calico-node"),
    "metallb": ("speaker", "metallb-system", "component=speaker"),
    "cilium": ("cilium", "kube-system", "k8s-app=cilium"),
    "kube-vip": ("kube-vip-ds", "kube-system", "app.kubernetes.io/name=kube-vip-ds"),
    "kube-router": ("kube-router", "kube-system", "k8s-app=kube-router"),
    "klipper": ("svclb", "kube-system", "svccontroller.k3s.cattle.io/svcname"),
    "keepalived": ("", "", ""),  # no pods: a service of the hosts
}


@dataclass
class Session:
    """What the two ends of a node's BGP session say. `at_router` is None where the router has no such neighbour."""

    up: bool = True
    at_node: str = "Established"
    error: str = ""
    at_router: str | None = "Established"
    minutes: int = 3000
    drops: int = 0

    @property
    def believed(self) -> bool:
        """Whether the node's end holds it for established."""
        return self.at_node == "Established"

    def down(self, at_node: str, error: str, at_router: str | None) -> None:
        """Not established, in these words."""
        self.up, self.at_node, self.error, self.at_router = False, at_node, error, at_router


@dataclass
class Node:
    name: str
    ip: str
    mac: str
    block: str
    control_plane: bool
    labels: dict[str, str]
    ready: bool = True
    agent: str = "Running"  # Running, CrashLoopBackOff, missing, notready
    agent_why: str = ""
    proxy: str = "Running"
    nic: str = ""  # another NIC than the cluster's nodes have; "" for the same
    peer_source: str = ""  # the address its BGP speaker uses, where that is not `ip`
    session: Session = field(default_factory=Session)
    withheld: set[str] = field(default_factory=set)  # prefixes the export policy keeps back
    extra_addresses: list[tuple[str, str]] = field(default_factory=list)  # (address/length, device)
    extra_routes: list[str] = field(default_factory=list)
    default_via: str = ""
    extra_rules: list[str] = field(default_factory=list)
    sysctls: dict[str, str] = field(default_factory=dict)
    raw: list[tuple[int, str]] = field(default_factory=list)  # (packets, rule) in iptables-save form, table raw
    input_: list[tuple[int, str]] = field(default_factory=list)
    forward: list[tuple[int, str]] = field(default_factory=list)
    forward_policy: str = "ACCEPT"
    firewalld: str = ""  # "", drop, reject
    legacy_rules: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    kernel_log: list[str] = field(default_factory=list)
    proxy_log: list[str] = field(default_factory=list)
    agent_log: list[str] = field(default_factory=list)
    listeners: list[str] = field(default_factory=list)
    programmed: bool = True  # kube-proxy has the address


@dataclass
class Pod:
    name: str
    node: str
    ip: str
    ready: bool = True
    status: str = "Running"
    listens: str = "0.0.0.0"
    why: str = ""
    counted: bool = True  # the endpoint bears the node's name


@dataclass
class Service:
    namespace: str
    name: str
    cluster_ip: str
    address: str  # the load balancer's address; "" while pending
    port: int
    target: int
    node_port: int
    policy: str
    health_port: int
    selector: str
    labels: str
    wanted: str = ""  # spec.loadBalancerIP
    annotations: dict[str, str] = field(default_factory=dict)
    class_: str = ""
    ranges: tuple[str, ...] = ()
    ip_mode: str = "VIP"
    status_addresses: tuple[str, ...] = ()  # where the status holds others than `address`
    events: list[tuple[str, str, str, str]] = field(default_factory=list)  # type, reason, source, message
    events_only: bool = False  # the events above are all there are


@dataclass
class Router:
    kind: str
    ip: str
    prefix: str
    uplink: str
    office_ip: str
    as_number: int
    neighbours: bool = True  # it knows the nodes at all
    peer: str = ""  # the address that the speakers peer with, where that is not `ip`
    multipath: bool = True
    accepts: str = "all"  # all, none, aggregate
    policy_missing: bool = False
    static: list[Route] = field(default_factory=list)
    hidden: dict[str, str] = field(default_factory=dict)  # prefix of BGP → why it is not installed
    vrf: str = ""
    links: list[tuple[str, str, str]] = field(default_factory=list)  # (network, own address, device) beside the usual
    firewall: list[str] = field(default_factory=list)  # "drop-invalid", "drop-pool"
    nat: list[str] = field(default_factory=list)
    neighbour: dict[str, str] = field(default_factory=dict)  # address → MAC where it differs from the truth
    behind: str = ""  # a second router that the client's packets meet first
    log: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)  # of its kernel, where it has one to ask
    wants_password: list[str] = field(default_factory=list)  # neighbours whose segments must be signed


@dataclass
class Client:
    ip: str
    prefix: str
    on_lan: bool
    mac: str
    system: str = "linux"  # linux, macos
    routes: list[str] = field(default_factory=list)
    name: str = ""  # the name it uses for the service
    resolves: str | None = None  # what that name resolves to, None for the address
    mask: str = ""  # a wrong prefix on its interface


@dataclass
class Site:
    """One cluster with its surroundings. `rng` draws what has no meaning (ports, ages, microseconds)."""

    rng: Random
    stack: str
    cni: str
    encapsulation: str
    mode: str  # iptables, ipvs, nftables, ebpf
    minor: int
    version: str  # of the announcer
    network: str
    nic: str
    nodes: list[Node]
    pods: list[Pod]
    service: Service
    pool: str
    pool_name: str
    pool_exists: bool
    router: Router
    client: Client
    node_as: int
    pod_network: str
    system: tuple[str, str, str]
    others: list[tuple[str, str, str, str, int]]  # namespace, name, cluster address, address, port
    losses: list[Loss] = field(default_factory=list)
    # What announces, where the stack's plain answer does not hold.
    leader: str = ""
    responders: list[tuple[str, str]] | None = None  # (MAC, node or "")
    announced: str = "pool"  # Calico: the range in serviceLoadBalancerIPs; "" none
    advertisement: str = "all"  # all, none, other
    pool_limits: str = ""  # no-auto, namespace
    strict_arp: bool = True
    mesh: bool = True
    bgp_filter: str = ""  # an exportV4 rule of Calico's
    reflectors: bool = False
    multihop: bool = True
    password: bool = False
    interfaces: list[str] = field(default_factory=list)
    announces_service: bool = True
    controller: str = "Running"
    controller_why: str = ""
    policies: list[str] = field(default_factory=list)  # network policies as YAML
    excluded_everywhere: bool = False
    relays: bool = False  # nodes pass on each other's host routes
    aggregate_only: bool = False
    mtu: dict[str, int] = field(default_factory=dict)
    tells: set[str] = field(default_factory=set)
    http: str = "200 OK"
    complaint: str = (
        ""  # what is complained of, where it is not the plain connection: icmp, inside, port, listing, breaks
    )
    peers: bool = True  # the cluster's side has BGP peers
    keep_next_hop: bool = True  # keepOriginalNextHop on Calico's peer
    lease_stays: bool = False
    lb_class_option: str = ""

    @property
    def family(self) -> str:
        return "l2" if self.stack in L2 else "bgp" if self.stack in BGP else "host"

    @property
    def product(self) -> str:
        """The announcer without its mode."""
        return next(name for name in AGENTS if self.stack.startswith(name))

    @property
    def local(self) -> bool:
        return self.service.policy == "Local"

    @property
    def ready(self) -> list[Pod]:
        return [pod for pod in self.pods if pod.ready]

    @property
    def workers(self) -> list[Node]:
        return [node for node in self.nodes if not node.control_plane] or self.nodes

    def node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    def nic_of(self, node: Node) -> str:
        return node.nic or self.nic

    def has_address(self, node: Node) -> bool:
        """Whether the node's proxy has the service's address; kube-router's, under Local, only beside a pod."""
        own = any(pod.node == node.name for pod in self.ready)
        return node.programmed and (own or not self.local or self.stack != "kube-router")

    def with_pod(self) -> list[Node]:
        """Nodes with a ready endpoint that counts as theirs."""
        names = {pod.node for pod in self.ready if pod.counted}
        return [node for node in self.nodes if node.name in names]

    def lose(self, stage: int, how: str, **where: str | bool) -> None:
        self.losses.append(Loss(stage, how, **where))  # type: ignore[arg-type]  # typed by the callers' keywords

    def spare(self) -> str:
        """An address of the nodes' network that nobody has."""
        taken = {node.ip for node in self.nodes} | {self.router.ip, self.client.ip, self.service.address}
        hosts = [str(h) for h in list(ipaddress.ip_network(self.network).hosts())[100:250] if str(h) not in taken]
        return self.rng.choice(hosts)
