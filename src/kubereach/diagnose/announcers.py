"""Who may announce the address, where nothing says it: by the products that are seen, and by what speaks for each."""

from __future__ import annotations

from kubereach.diagnose.chance import Chance, Split
from kubereach.model.address import contains
from kubereach.model.attribute import ADDRESS, ROUTED
from kubereach.model.fact import (
    BgpSession,
    Neighbour,
    ObjectListing,
    Outcome,
    Packet,
    ProbeKind,
    ProbeResult,
    Route,
    RouteListing,
    Setting,
)
from kubereach.model.network import Network

METALLB = Split(
    "announcer, with MetalLB",
    (("metallb-l2", 0.6), ("metallb-bgp", 0.3), ("calico-bgp", 0.1)),
    "layer 2 is simpler, and first in its manual; its controller alone may allocate for Calico's BIRD; estimate",
)
METALLB_BESIDE_CALICO = Split(
    "announcer, with MetalLB and Calico",
    (("metallb-l2", 0.45), ("metallb-bgp", 0.25), ("calico-bgp", 0.3)),
    "Calico is the pods' network of many, and announces for MetalLB's controller in some; estimate",
)
BESIDE_CILIUM = Split(
    "announcer, with Cilium and no other product that gives addresses",
    (("cilium-bgp", 0.35), ("cilium-l2", 0.25), ("other-bgp", 0.2), ("other-l2", 0.2)),
    "Cilium carries the pods in many clusters whose addresses somebody else announces; estimate",
)
KUBE_VIP = Split(
    "announcer, with kube-vip",
    (("kube-vip-arp", 0.65), ("kube-vip-bgp", 0.35)),
    "ARP comes first in its manual, and BGP is its other way; estimate",
)
CILIUM = Split(
    "announcer, with addresses from Cilium",
    (("cilium-l2", 0.5), ("cilium-bgp", 0.5)),
    "nothing speaks for either; estimate",
)
CALICO = Split(
    "announcer, with Calico",
    (("calico-bgp", 0.5), ("other-l2", 0.5)),
    "Calico carries the pods in many clusters whose addresses somebody else announces; estimate",
)
ANNOUNCERS = Split(
    "announcer that nothing names", (("other-bgp", 0.5), ("other-l2", 0.5)), "nothing speaks for either; estimate"
)
ROUTED_ON_LINK = Chance(0.02, "an address in the nodes' own subnet is announced over BGP, though nothing mentions BGP")
OFF_LINK = Chance(
    0.03,
    "weight of layer 2 where the address is on no link of a host whose whole table is shown: it cannot work there, "
    "and few troubled clusters are set up so; estimate",
)
FAR = Chance(0.03, "weight of layer 2 where no node's address shares even the first half with the address; estimate")
APART = Chance(
    0.3, "weight of layer 2 where no node's address shares the first 24 bits: subnets may be larger; estimate"
)
PEERS = Chance(
    0.1, "weight of the others where MetalLB's objects hold a BGP peer: who serves by layer 2 configures none"
)
CALICO_PEERS = Chance(
    0.15, "weight of the others where Calico has a peer outside: it may be there for the pods' addresses"
)
BIRD_LISTENS = Chance(
    0.1, "weight of MetalLB's BGP where TCP 179 is open on a node: its speaker only dials, and BIRD listens; estimate"
)
NOT_LISTED = Chance(0.03, "weight of a way of announcing whose objects were listed, and there are none")
ELECTION = Chance(
    0.2, "weight of kube-vip's BGP where its lock for services exists: only ARP needs the election; estimate"
)
NOT_TOLD = Chance(0.15, "weight of the way of announcing that the prose does not name, where it names the other")
ASKED_FOR = Chance(
    0.25, "weight of BGP where somebody asks for the address by ARP: who routes it has no reason to; estimate"
)

BGP = 179
_OBJECTS = (
    ("L2Advertisement", "metallb-l2"),
    ("BGPAdvertisement", "metallb-bgp"),
    ("CiliumL2AnnouncementPolicy", "cilium-l2"),
    ("CiliumBGPClusterConfig", "cilium-bgp"),
)
_OPEN = frozenset({Outcome.OPEN, Outcome.REPLY})


def announcers(network: Network) -> tuple[tuple[str, float], ...]:
    """The announcers with their probabilities, which add up to 1.

    An address in the client's or the nodes' own subnet, or one that somebody answered ARP for, is announced by
    layer 2, unless anything shows that BGP is spoken at all.
    """
    table = METALLB if "metallb" in network.stack else CILIUM if _cilium_allocates(network) else ANNOUNCERS
    if table is ANNOUNCERS:
        table = KUBE_VIP if "kube-vip" in network.stack else BESIDE_CILIUM if "cilium" in network.stack else table
    if "calico" in network.stack:
        table = CALICO if table is ANNOUNCERS else METALLB_BESIDE_CALICO if table is METALLB else table
    routing = any(isinstance(f, BgpSession) or (isinstance(f, Route) and f.protocol == "bgp") for f in network.observed)
    routing = routing or any(entry.text("spec.peerIP", "spec.peerAddress") for entry in network.objects_of("BGPPeer"))
    if beside(network) and not routing:
        layer2 = next(name for name, _ in table.shares if _way(name) == "layer 2")
        routed = next(name for name, _ in table.shares if name != layer2)
        return ((layer2, 1 - ROUTED_ON_LINK), (routed, ROUTED_ON_LINK))
    factors = _factors(network)
    weights = [(name, share * factors.get(name, 1.0) * factors.get(_way(name), 1.0)) for name, share in table.shares]
    total = sum(weight for _, weight in weights)
    return tuple((name, weight / total) for name, weight in weights)


def _way(announcer: str) -> str:
    return "layer 2" if announcer.endswith(("-l2", "-arp")) else "bgp"


def _factors(network: Network) -> dict[str, float]:
    """What evidence takes from the weight of an announcer, or of a way of announcing."""
    found: dict[str, float] = {}

    def less(name: str, factor: float) -> None:
        found[name] = found.get(name, 1.0) * factor

    peers, address = network.objects_of("BGPPeer"), network.flow.address
    if any(entry.text("spec.peerAddress") for entry in peers):  # MetalLB's word for it
        less("metallb-l2", PEERS)
        less("calico-bgp", PEERS)
    if any(entry.text("spec.peerIP") for entry in peers):  # Calico's
        less("layer 2", CALICO_PEERS)
        less("metallb-bgp", CALICO_PEERS)
    open_ports = {(f.target, f.port) for f in network.observed if isinstance(f, ProbeResult) and f.outcome in _OPEN}
    if any(port == BGP and (at == address or network.owners.get(at) in network.nodes) for at, port in open_ports):
        less("metallb-bgp", BIRD_LISTENS)
    if any(entry.name == "plndr-svcs-lock" for entry in network.objects_of("Lease")):
        less("kube-vip-bgp", ELECTION)
    empty = {f.kind for f in network.observed if isinstance(f, ObjectListing) and f.complete and not f.names}
    for kind, name in _OBJECTS:
        if kind in empty:
            less(name, NOT_LISTED)
    less("layer 2", _by_place(network))
    if any(isinstance(f, ProbeResult) and f.probe is ProbeKind.ARP and f.target == address for f in network.observed):
        less("bgp", ASKED_FOR)
    told = {str(f.value) for f in network.observed if isinstance(f, Setting) and f.attribute == "announced-by"}
    if len(told) == 1:
        less("bgp" if told == {"layer 2"} else "layer 2", NOT_TOLD)
    return found


def _by_place(network: Network) -> float:
    """The weight of layer 2 by where the address lies: it serves what is on the nodes' own link."""
    address = network.flow.address
    if _off_link(network):
        return OFF_LINK
    nodes = [a for n in network.nodes if (a := network.seen(n, ADDRESS)) and "." in a and "." in address]
    near = [length for length in (24, 16) if any(contains(f"{a}/{length}", address) for a in nodes)]
    return 1.0 if 24 in near or not nodes else APART if near else FAR


def _off_link(network: Network) -> bool:
    """Whether the whole table of a router or a node was shown, and the address is on none of its links."""
    whole = {
        f.device
        for f in network.observed
        if isinstance(f, RouteListing) and f.complete and f.table == "main" and not f.prefix and not f.protocol
    }
    links = {
        f.prefix
        for f in network.observed
        if isinstance(f, Route) and f.device in whole and f.protocol == "connected" and f.prefix
    }
    return bool(links) and not any(contains(link, network.flow.address) for link in links)


def beside(network: Network) -> bool:
    """Whether the address lies in the nodes' or the client's own subnet, or somebody answered ARP for it."""
    address = network.flow.address
    nodes = [a for n in network.nodes if (a := network.seen(n, ADDRESS)) and "." in a]
    beside = bool(address) and any(contains(f"{a}/24", address) for a in nodes)
    answered = any(
        (isinstance(f, Packet) and f.what == "arp-reply" and f.source == address)
        or (isinstance(f, ProbeResult) and f.target == address and bool(f.macs))
        # Who has an entry, be it a failed one, takes it to be on his link (RFC 1122 section 2.3.2); a client may err.
        or (isinstance(f, Neighbour) and f.address == address and (bool(f.mac) or f.device == "router"))
        for f in network.observed
    )
    return network.seen("client", ROUTED) is False or beside or answered


def _cilium_allocates(network: Network) -> bool:
    return bool(network.objects_of("CiliumLoadBalancerIPPool"))
