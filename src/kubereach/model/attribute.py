"""The named leaves of a network: what can be known of each subject, and with which type.

A subject is `cluster`, `service/NS/NAME`, `node/NAME`, `pod/NS/NAME`, `router`, `client` or `pool/NAME`. A leaf that no
evidence gives has a nominal value in simulate.nominal. Leaves under "what can be wrong" have the value that hurts
nobody as nominal one, and are what faults change; programs and tables show them only through their consequences.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")
Key = tuple[str, str]


class Attribute(Generic[T]):
    """A named leaf with the type of its value."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def of(self, subject: str) -> Key:
        """The key of this leaf of `subject`."""
        return (subject, self.name)


def why(attribute: Attribute[T]) -> Attribute[str]:
    """The leaf that holds in words why another one has its value; it has no nominal value."""
    return Attribute(f"why {attribute.name}")


class Endpoint(Struct, frozen=True):
    """A pod behind a service: `node` is a subject or "" when unknown."""

    address: str
    node: str = ""
    ready: bool = True
    port: int | None = None
    pod: str = ""


class ServicePort(Struct, frozen=True):
    """One port of a service; `target` is a number or a name, None when not shown."""

    port: int
    protocol: str = "TCP"
    node_port: int | None = None
    target: int | str | None = None
    name: str = ""


class FilterRule(Struct, frozen=True):
    """One rule of a Calico BGPFilter (calico.md section 6). `operator` is "" for a rule without match."""

    action: str
    cidr: str = ""
    operator: str = ""
    source: str = ""
    minimum: int | None = None
    maximum: int | None = None


class Peer(Struct, frozen=True):
    """A BGP peer that the cluster's configuration names. `nodes` is empty for every node."""

    address: str
    asn: int | None = None
    filters: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    keep_next_hop: bool = False
    multihop: bool = False


# --- the cluster ---
KUBERNETES_MINOR = Attribute[int]("kubernetes.minor")  # 24 for v1.24
PROXY_MODE = Attribute[str]("kube-proxy.mode")  # ipvs iptables nftables ebpf userspace kube-router
STRICT_ARP = Attribute[bool]("kube-proxy.strictARP")
ANNOUNCER = Attribute[str]("announcer")  # a module of simulate.announcers, with dashes
CNI = Attribute[str]("cni")
MESH = Attribute[bool]("calico.nodeToNodeMeshEnabled")
ENCAPSULATION = Attribute[str]("pod-network.encapsulation")  # none ipip vxlan
LB_CIDRS = Attribute[tuple[str, ...]]("calico.serviceLoadBalancerIPs")
RANGES_SEEN = Attribute[tuple[str, ...]]("prefixes that nodes were seen to announce")
FILTERS_UNSHOWN = Attribute[bool]("calico.filters partly shown")  # a peer names one, or one names no peer
EXPORT_FILTERS = Attribute[tuple[FilterRule, ...]]("calico.exportFilters")
PEERS = Attribute[tuple[Peer, ...]]("bgp.peers")
CLUSTER_AS = Attribute[int]("bgp.asNumber")
POOLS = Attribute[tuple[str, ...]]("pools")  # names
NAT_OUTGOING = Attribute[bool]("pod-network.natOutgoing")

# --- what comparing both ends of the peering shows; subject `router`, the last one of a node ---
PEER_ON_LINK = Attribute[bool]("bgp.peer.on-link")
PEER_MULTIHOP = Attribute[bool]("bgp.peer.multihop")
PEER_AUTH_DOUBT = Attribute[str]("bgp.peer.authentication-doubt")
PROPAGATION_DOUBT = Attribute[str]("propagation doubt")
PEER_AS_DOUBT = Attribute[str]("bgp.peer.as-doubt")  # "" or how the AS numbers of both sides differ
BGP_ADDRESS_DOUBT = Attribute[str]("bgp.address-doubt")  # "" or why the speaker's address looks wrong

# --- doubts that links, modes and device listings raise: "" or in words ---
SELECTION_DOUBT = Attribute[str]("selection doubt")  # of the cluster
NEXT_HOP_DOUBT = Attribute[str]("next-hop doubt")  # of the router, as the next five
TABLE_DOUBT = Attribute[str]("routing-table doubt")
ROUTER_NAT_DOUBT = Attribute[str]("router NAT doubt")
NO_PEER_DOUBT = Attribute[str]("no-peer doubt")
MTU_DOUBT = Attribute[str]("MTU doubt")  # of the cluster
DEFAULT_DOUBT = Attribute[str]("default-route doubt")  # of a node
MULTIHOMED_DOUBT = Attribute[str]("several-interfaces doubt")  # of a node
DIRECT_RETURN = Attribute[bool]("direct server return")
BEHIND_REFLECTOR = Attribute[bool]("route reflectors")

# --- a pool, an advertisement ---
POOL_ADDRESSES = Attribute[tuple[str, ...]]("addresses")
POOL_AUTO_ASSIGN = Attribute[bool]("autoAssign")
L2_POOLS = Attribute[tuple[str, ...]]("metallb.l2.pools")  # pools that an L2Advertisement selects, "*" for all
BGP_POOLS = Attribute[tuple[str, ...]]("metallb.bgp.pools")

# --- a service ---
ADDRESSES = Attribute[tuple[str, ...]]("addresses")  # of the service: status.loadBalancer.ingress
POLICY = Attribute[str]("externalTrafficPolicy")  # Cluster, Local
PORTS = Attribute[tuple[ServicePort, ...]]("ports")
ENDPOINTS = Attribute[tuple[Endpoint, ...]]("endpoints")
CLUSTER_IP = Attribute[str]("clusterIP")
NODE_PORT_RANGE = range(30000, 32768)  # the API server's default --service-node-port-range
NODE_PORTS = Attribute[tuple[int, ...]]("nodePorts")
HEALTH_PORT = Attribute[int]("healthCheckNodePort")
SOURCE_RANGES = Attribute[tuple[str, ...]]("loadBalancerSourceRanges")

# --- a host ---
ADDRESS = Attribute[str]("address")  # of a node, the router, the client; "" when unknown
LABELS = Attribute[tuple[tuple[str, str], ...]]("labels")
CONTROL_PLANE = Attribute[bool]("control-plane")
SHARED_LAN = Attribute[bool]("shares the segment of the nodes")  # the client; reached over one router interface
OBEYS_REDIRECTS = Attribute[bool]("obeys ICMP redirects")  # the client
ROUTED = Attribute[bool]("reaches the address over the router")  # the client; False: on-link

# --- a node's kernel, as far as its settings tell and do not decide ---
FORWARD_POLICY = Attribute[str]("FORWARD policy")  # accept, drop, drop-covered (the CNI has a chain of its own)
INPUT_POLICY = Attribute[str]("INPUT policy")  # accept, drop, reject
REVERSE_PATH = Attribute[int]("rp_filter")  # the strictest value in force
FORWARDING = Attribute[bool]("forwarding")
BE_LIBERAL = Attribute[bool]("nf_conntrack_tcp_be_liberal")
RULES_MANAGED = Attribute[bool]("a network manager minds foreign rules")
DATAPATH_DEVICES = Attribute[bool]("datapath devices named by hand")
TWO_BACKENDS = Attribute[bool]("both iptables backends hold rules")
TARGET_PORT_UNDECLARED = Attribute[bool]("no container declares the target port")
POLICIES_IN_PLACE = Attribute[str]("network policies")  # at the service: none, some, laid (on its pods)
RANGES_IN_RULES = Attribute[bool]("rules drop what no source range admits")  # of a service
HOST_POLICIES = Attribute[bool]("host endpoints or host policies in place")

NICS = Attribute[tuple[tuple[str, str], ...]]("interfaces")  # (name, address/length or ""); of `cluster`: of each node
MACS = Attribute[tuple[str, ...]]("hardware addresses")
PLATFORM = Attribute[str]("platform")  # of the cluster: openstack vmware cloud hyper-v proxmox kvm, "" for none known
LOOPBACK_ADDRESS = Attribute[bool]("service addresses on the loopback")  # of the cluster
UPLINK = Attribute[str]("uplink")  # of the cluster: wifi macvlan bridge, "" for an ordinary one

# --- what can be wrong: allocation ---
ALLOCATION_FAULT = Attribute[str]("allocation fault")  # "" or a key of simulate.allocation.MESSAGES
ALLOCATION_WHY = Attribute[str]("allocation fault in words")
ALLOCATION_CLEARED = Attribute[tuple[str, ...]]("no reason for it")  # reasons that configuration speaks against
ALLOCATOR_MISSING = Attribute[bool]("no pod of the allocating controller")  # of the cluster: a complete list has none
UNUSABLE_ADDRESS = Attribute[bool]("no host can use the address")
POOL_SHARED = Attribute[str]("range that others give out too")  # of a service: "" or which
EARLIER_ADDRESSES = Attribute[tuple[str, ...]]("addresses before")  # of a service: a watch saw them come and go
OVERWRITTEN = Attribute[bool]("its status holds others' addresses")  # of a service: not the one that was assigned
ADDRESS_FLIPS = Attribute[bool]("its address is overwritten again and again")  # of a service
ADDRESS_TAKEN = Attribute[str]("address owned by something else too")  # of a service: "" or what owns it

# --- what can be wrong: announcement ---
AGENT_NODES = Attribute[tuple[str, ...]]("nodes with the announcing agent")  # () when not known
LEASE_HOLDER = Attribute[str]("holder of the address")  # of a service: the node that a lease, event or annotation names
NO_AGENT_RUNS = Attribute[str]("no announcing agent runs")  # of the cluster: what their pods' status says
AGENT_DOWN = Attribute[bool]("announcing agent down")
AGENT_NOT_READY = Attribute[bool]("announcing agent not ready")
SESSION_FAULT = Attribute[str]("bgp session fault")  # "" or a key of simulate.session.SESSION_FAULTS
SESSION_WAY = Attribute[str]("how the session fault works")  # of the cluster: "" for open, or `FAULT:WAY`
NOT_SELECTED = Attribute[bool]("service route not generated")
EXCLUDED = Attribute[bool]("node kept from announcing")
ENDPOINTS_UNCOUNTED = Attribute[bool]("endpoints not counted as local")
EXTRA_EXPORT_FILTER = Attribute[bool]("host routes filtered on export")
BAD_NEXT_HOP = Attribute[bool]("announced with an unusable next hop")
HELD_BY_TURNS = Attribute[bool]("held by turns only")  # of a service: its owners depose each other
EXTRA_RESPONDER = Attribute[bool]("answers ARP unasked")
ARP_LOST = Attribute[bool]("ARP requests do not arrive")
ARP_SILENT = Attribute[bool]("does not answer ARP")
L2_WRONG_INTERFACE = Attribute[bool]("announces on the wrong interface")
POOL_OFFLINK = Attribute[bool]("address outside the nodes' subnets")  # of a service
ANTISPOOF = Attribute[bool]("hypervisor drops the address")
CLEARING_HELPS = Attribute[bool]("clearing neighbour caches helps")  # of the segment
SPLIT_MEMBERS = Attribute[bool]("announcers do not hear each other")  # of the cluster
STALE_NEIGHBOUR = Attribute[bool]("stale neighbour entry")
NO_ADVERTISEMENT = Attribute[bool]("no advertisement object")
ATTRACTS_WITHOUT_ENDPOINT = Attribute[bool]("announces without a ready endpoint")

RELAYED = Attribute[bool]("host routes passed on by other nodes")
NO_HOST_ROUTES = Attribute[bool]("the aggregate alone is announced")

# --- what can be wrong: the router ---
WRONG_TABLE = Attribute[bool]("route in another table")
NOBODY_ANNOUNCES = Attribute[bool]("nobody announces to this router")
STATIC_WINS = Attribute[bool]("another route is preferred")
REHASH = Attribute[bool]("established connections move")
STATE_EXPIRES = Attribute[bool]("one-sided state expires")
IMPORT_POLICY = Attribute[str]("import policy")  # accept, aggregates-only, none
NOT_INSTALLED = Attribute[bool]("route not installed")
ROUTER_FIREWALL = Attribute[bool]("router drops new connections")
DROPS_INVALID = Attribute[bool]("router drops invalid packets")
STATIC_ROUTES = Attribute[tuple[tuple[str, str], ...]]("static routes")  # (prefix, next hop)
PREFERRED = Attribute[str]("the next hop preferred among equals")  # "" where it is open
MULTIPATH = Attribute[bool]("multipath")
OTHER_ROUTER = Attribute[bool]("another router meets the client's packets")
ROUTER_NAT = Attribute[str]("router rewrites the flow")  # destination, source, "" for neither

# --- what can be wrong: the node ---
HOST_FIREWALL = Attribute[str]("host firewall")  # "", drop, reject
HOST_FIREWALL_SPARES = Attribute[bool]("host firewall lets pass what nodes send to pods")
INPUT_FIREWALL = Attribute[str]("host firewall on INPUT alone")  # "", drop, reject
FORWARD_DROP = Attribute[bool]("FORWARD drops")
FORWARD_SPARES = Attribute[bool]("FORWARD lets pass what nodes and pods send")
FORWARDING_OFF = Attribute[bool]("ip_forward off")
RP_FILTER_DROP = Attribute[bool]("rp_filter drops the client")
NODE_DROPS_INVALID = Attribute[bool]("node drops invalid packets")
DATAPATH_BROKEN = Attribute[bool]("datapath broken")
PROXY_DOWN = Attribute[bool]("service proxy down")
NOT_PROGRAMMED = Attribute[bool]("address not programmed")
STALE_CONNTRACK = Attribute[bool]("stale connection entries")
LOCAL_BROKEN = Attribute[bool]("policy Local misprogrammed")
MARTIAN = Attribute[bool]("the client's address is local on the node")
TABLE_FULL = Attribute[bool]("connection or neighbour table full")
HOST_ENDPOINT_DROP = Attribute[bool]("host policy of the CNI drops")
HOST_POLICY_SPARES = Attribute[bool]("policy for the host lets pass what nodes send")
MIXED_BACKENDS = Attribute[bool]("legacy and nftables rules contradict each other")
HAIRPIN = Attribute[bool]("cluster-internal clients are short-circuited or looped")

# --- what can be wrong: the pod network and the pod ---
POD_ROUTE_BROKEN = Attribute[bool]("no working pod route")
TUNNEL_BLOCKED = Attribute[bool]("encapsulation dropped")
POLICY_DROP = Attribute[bool]("network policy drops")
RANGES_DENY = Attribute[bool]("source ranges do not admit the client")
WHY_EMPTY = Attribute[str]("why there is no ready endpoint")  # not-ready, selector
NOT_LISTENING = Attribute[bool]("nothing listens on the target port")
WRONG_TARGET_PORT = Attribute[bool]("the target port is not the container's")
WRONG_POD_NETWORK = Attribute[bool]("the pod's address is of another network")
PROXY_PROTOCOL = Attribute[bool]("pods demand the PROXY header")  # of the cluster
APP_ERROR = Attribute[bool]("application answers with an error")

CHECKSUM_BROKEN = Attribute[bool]("tunnel checksums wrong")

# --- what can be wrong: the way back ---
REPLY_OTHER_ROUTER = Attribute[bool]("reply leaves by another router")
SOURCE_UNTRANSLATED = Attribute[bool]("reply keeps the pod's address")
DSR_DROPPED = Attribute[bool]("direct replies are dropped")
FORWARD_MTU = Attribute[bool]("large packets to a remote pod vanish")
NO_ROUTE_BACK = Attribute[bool]("no route back to the client")
REPLY_WRONG_INTERFACE = Attribute[bool]("reply leaves by another interface")
REPLY_ANTISPOOF = Attribute[bool]("reply dropped as spoofed")
MTU_BLACKHOLE = Attribute[bool]("large packets vanish")
CLIENT_PROXY = Attribute[bool]("client has a proxy or VPN")
CLIENT_ROUTE_WRONG = Attribute[bool]("client's route is wrong")
CLIENT_ONLINK = Attribute[bool]("client takes the address for on-link")
NAME_ELSEWHERE = Attribute[bool]("client's name resolves elsewhere")

# --- what the world prints besides: slugs of log events and messages that a fault makes daemons write ---
TELLS = Attribute[tuple[str, ...]]("tell-tales")
# --- the report itself: what the complaint rests on when nothing is broken ---
MISREAD = Attribute[str]("misread")  # icmp wrong-port same-node expected
