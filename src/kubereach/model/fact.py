"""Facts: the typed leaves that readers emit, and nothing else does.

A fact says what one piece of evidence says, in the words of its format's own world, and never what follows from it.
`device` and `source` name a host: `node/NAME`, `pod/NAME`, `router`, `client`, `outside`, a bare host name or an
address as the evidence has it, or "" when nothing says where it was taken. Joining names is the business of `build`.
Addresses and prefixes are canonical (model.address).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from msgspec import Struct

from kubereach.model.origin import Origin

Scalar = str | int | float | bool | None


class Trust(IntEnum):
    """How a fact came to be known; the probabilities of a misreport stand in diagnose.trust."""

    MENTIONED = 1  # a token in prose, a comment line
    STATED = 2  # stated.yaml, observed.yaml: a person says so
    OUTPUT = 3  # a program printed it
    SUPPOSED = 4  # a what-if says so: outweighs everything


class Fact(Struct, frozen=True, kw_only=True):
    """What every fact has: where it stands, how far it is trusted, when and in which state it was taken."""

    origin: Origin
    trust: Trust = Trust.OUTPUT
    taken: str = ""  # the evidence's own words for the time; "" when not said
    given: str = ""  # a state it was taken in, such as "service deleted"; "" for the usual state


class ObjectLeaf(Fact, frozen=True, kw_only=True, tag=True):
    """One scalar field of a Kubernetes object.

    `path` is the API's own: `spec.externalTrafficPolicy`, `spec.ports[0].port`, `metadata.labels.app`,
    `status.loadBalancer.ingress[0].ip`. Keys that hold dots stand in brackets with double quotes:
    `metadata.labels["node.kubernetes.io/exclude-from-external-load-balancers"]`.
    `kind` is singular CamelCase. `namespace` is "" for a cluster-scoped object and None when it is not shown.
    """

    kind: str
    name: str
    path: str
    value: Scalar
    namespace: str | None = None
    api_group: str = ""


class ObjectListing(Fact, frozen=True, kw_only=True, tag=True):
    """A table or List of objects: which names it holds, and whether it closes its scope.

    `complete` is True only when the command is known, has no filter but `selector`, and the end was seen.
    `namespace` is None for all namespaces. `selector` is the label selector, "" for none.
    """

    kind: str
    names: tuple[str, ...]
    namespace: str | None = None
    selector: str = ""
    complete: bool = False


class NextHop(Struct, frozen=True, kw_only=True):
    """One leg of a route; `via` is "" for a connected one, `interface` "" when not shown."""

    via: str = ""
    interface: str = ""
    active: bool = True


class Route(Fact, frozen=True, kw_only=True, tag=True):
    """One route in one table of one device, of the kernel, BIRD, FRR or a router.

    `protocol` is one of: connected static kernel bgp ospf rip bird dhcp local boot felix unknown (the origin protocol;
    a BIRD `show route` line gives bgp, static, kernel or device->connected by its protocol's type or name).
    `kind` is unicast, blackhole, unreachable, prohibit or local. `active` is None when the format does not say.
    `table` is `main` unless shown; BIRD's own table is `bird`; an export listing is `export:PROTOCOL`.
    `learned_from` is the peer or protocol name that the route came from. `paraphrased` marks a line typed by a person.
    """

    device: str
    prefix: str
    next_hops: tuple[NextHop, ...] = ()
    protocol: str = "unknown"
    kind: str = "unicast"
    active: bool | None = None
    table: str = "main"
    learned_from: str = ""
    as_path: str = ""
    distance: int | None = None
    paraphrased: bool = False
    preferred_source: str = ""  # the device's own address on what it sends there

    @property
    def on_link(self) -> bool:
        """Whether it is the device's own subnet, which nobody announced to it."""
        return self.protocol in {"connected", "kernel", "local"} and not any(hop.via for hop in self.next_hops)


class RouteListing(Fact, frozen=True, kw_only=True, tag=True):
    """A route table print: what it covers, and whether it closes that scope.

    `prefix` limits the scope (`where dst-address in …`, `ip route show PREFIX`), "" for the whole table.
    `protocol` limits it to one, "" for all. `complete` only when command, filter and end are known.
    """

    device: str
    table: str = "main"
    prefix: str = ""
    protocol: str = ""
    complete: bool = False


class RouteLookup(Fact, frozen=True, kw_only=True, tag=True):
    """What `ip route get` answered. `kind` is unicast, local, blackhole, unreachable, prohibit, rpf-fail or martian."""

    device: str
    address: str
    kind: str = "unicast"
    via: str = ""
    interface: str = ""
    preferred_source: str = ""
    from_address: str = ""


class BgpSession(Fact, frozen=True, kw_only=True, tag=True):
    """One BGP neighbour as one device shows it.

    `state` is RFC 4271's word (Idle Connect Active OpenSent OpenConfirm Established), or Down (disabled),
    or "" when not shown. `error` is the last error's text as printed, without the state word.
    `prefixes_received` counts those that the import policy let in.
    """

    device: str
    peer: str  # address, "" when only a name is known
    state: str
    name: str = ""  # BIRD protocol, RouterOS peer or connection name
    error: str = ""
    peer_as: int | None = None
    local_as: int | None = None
    local_address: str = ""
    prefixes_received: int | None = None
    prefixes_sent: int | None = None
    prefixes_refused: int | None = (
        None  # received, and kept out by the import policy; of some programs at least so many
    )
    peer_type: str = ""  # mesh, global, node specific
    policy_refused: bool = False  # FRR's "(Policy)": RFC 8212
    uptime: str = ""
    drops: int | None = None  # how often it has gone down since the daemon started


class BgpListing(Fact, frozen=True, kw_only=True, tag=True):
    """A listing of all BGP neighbours of a device; `complete` when its end was seen."""

    device: str
    complete: bool = False


class Neighbour(Fact, frozen=True, kw_only=True, tag=True):
    """An ARP or NDP cache entry; `mac` is "" when unresolved, `state` as printed."""

    device: str
    address: str
    mac: str = ""
    state: str = ""
    interface: str = ""


class InterfaceAddress(Fact, frozen=True, kw_only=True, tag=True):
    """An address on an interface, as `ip addr` shows it; `prefix_length` -1 when not shown."""

    device: str
    interface: str
    address: str
    prefix_length: int = -1


class Interface(Fact, frozen=True, kw_only=True, tag=True):
    """A link: `flags` and `state` as printed."""

    device: str
    name: str
    flags: tuple[str, ...] = ()
    state: str = ""
    mtu: int | None = None
    mac: str = ""


class RealServer(Struct, frozen=True, kw_only=True):
    """One destination of an IPVS virtual server."""

    address: str
    port: int
    method: str = "Masq"
    weight: int | None = None
    active: int | None = None
    inactive: int | None = None


class VirtualServer(Fact, frozen=True, kw_only=True, tag=True):
    """One IPVS virtual server with all its destinations (none: the kernel answers port unreachable)."""

    device: str
    address: str
    port: int
    protocol: str = "TCP"
    scheduler: str = ""
    real_servers: tuple[RealServer, ...] = ()


class VirtualServerListing(Fact, frozen=True, kw_only=True, tag=True):
    """An `ipvsadm -Ln` print; `complete` when command, filter and end are known."""

    device: str
    complete: bool = False


class ProbeKind(StrEnum):
    """The probes of observed.yaml; `traceroute` covers mtr and tracepath."""

    PING = "ping"
    TCP = "tcp"
    HTTP = "http"
    UDP = "udp"
    ARP = "arp"
    TRACEROUTE = "traceroute"
    CAPTURE = "capture"
    DNS = "dns"


class Outcome(StrEnum):
    """The results of observed.yaml."""

    REPLY = "reply"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    OPEN = "open"
    CLOSED = "closed"
    FILTERED = "filtered"
    SEEN = "seen"
    NOT_SEEN = "not-seen"
    SLOW = "slow"
    INTERMITTENT = "intermittent"
    RESETS = "resets"
    FAILED = "failed"  # somebody says that it fails, and not how


# Sources of tests that somebody tells of: a node, a pod of the cluster, and not which.
NODES = "nodes"
SOME_POD = "pod/(a pod)"
# The service's own address in what somebody tells of a capture, where no address is named.
SERVICE = "(service)"


class ProbeResult(Fact, frozen=True, kw_only=True, tag=True):
    """The outcome of one probe of one target from one vantage.

    `at` is where a capture listened. `reason` is the finer cause as the tool words it (`no-response`,
    `port-unreach`, `Connection refused`). `reply_ttls` are the TTLs of the answers, `macs` the owners that arping
    heard, `redirects` pairs of (router, new next hop), `hops` the addresses of a traceroute ("" for `*`).
    """

    probe: ProbeKind
    source: str
    target: str  # an address; "" when the evidence names none (a host name stands in `target_name`)
    outcome: Outcome
    port: int | None = None
    protocol: str = "TCP"
    target_name: str = ""
    at: str = ""
    reason: str = ""
    sent: int | None = None
    received: int | None = None
    reply_ttls: tuple[int, ...] = ()
    macs: tuple[str, ...] = ()
    redirects: tuple[tuple[str, str], ...] = ()
    hops: tuple[str, ...] = ()
    http_status: int | None = None
    client_os: str = ""  # linux, bsd (macOS included), windows, when the output's form tells


class Packet(Fact, frozen=True, kw_only=True, tag=True):
    """Packets of one kind that a capture saw, folded: same vantage, addresses, ports and kind.

    `what` is tcp, udp, icmp-echo-request, icmp-echo-reply, icmp-redirect, icmp-unreachable, icmp-time-exceeded,
    arp-request, arp-reply, vxlan, ipip or other. `flags` is tcpdump's (`S`, `S.`, `R`). For ARP `destination` is the
    address asked for and `source` the asker (request) or owner (reply: the same address, owned by `mac`).
    """

    device: str
    what: str
    source: str = ""
    destination: str = ""
    source_port: int | None = None
    destination_port: int | None = None
    flags: str = ""
    interface: str = ""
    direction: str = ""  # In, Out, B, M, P as tcpdump -i any prints it
    ttl: int | None = None
    mac: str = ""
    info: str = ""
    count: int = 1


class Setting(Fact, frozen=True, kw_only=True, tag=True):
    """A setting of a subject under the field's own name: stated.yaml, sysctl, a version or mode in prose.

    `subject` is `cluster`, `node/NAME`, `service/NS/NAME`, `router`, `client`, `pool/NAME`, `peer/ADDRESS`,
    `address/IP` … ; lists come as one Setting per element with `attribute` repeated.
    """

    subject: str
    attribute: str
    value: Scalar


class LogEvent(Fact, frozen=True, kw_only=True, tag=True):
    """One recognised log line: the program's own event name and its fields, as text."""

    device: str
    program: str
    event: str
    fields: tuple[tuple[str, str], ...] = ()


AnyFact = (
    ObjectLeaf
    | ObjectListing
    | Route
    | RouteListing
    | RouteLookup
    | BgpSession
    | BgpListing
    | Neighbour
    | InterfaceAddress
    | Interface
    | VirtualServer
    | VirtualServerListing
    | ProbeResult
    | Packet
    | Setting
    | LogEvent
)
