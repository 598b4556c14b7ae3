"""Unknowns that are no faults: settings that evidence does not give, or gives only at second hand.

Each is summed over by its prior, and only a few combinations are kept: the likeliest ones.
"""

from __future__ import annotations

from itertools import product
from math import prod

from msgspec import Struct
from msgspec.structs import replace

from kubereach.diagnose.chance import Chance, Split
from kubereach.model.address import contains
from kubereach.model.attribute import (
    ADDRESS,
    ANNOUNCER,
    ENCAPSULATION,
    ENDPOINTS,
    KUBERNETES_MINOR,
    MESH,
    MULTIPATH,
    POLICY,
    PROXY_MODE,
    ROUTED,
    WHY_EMPTY,
    Endpoint,
    Key,
)
from kubereach.model.fact import BgpSession, Neighbour, Outcome, Packet, ProbeResult, Route, Trust, VirtualServer
from kubereach.model.network import Network

MOST_VARIANTS = 24
MOST_WHEREABOUTS = 3  # nodes that are taken for the one with the pod
POLICIES = Split(
    "externalTrafficPolicy",
    (("Cluster", 0.55), ("Local", 0.45)),
    "Cluster is the default; Local is over-represented among those who ask, since it makes the entry node matter",
)
MODES = Split(
    "kube-proxy's mode",
    (("iptables", 0.72), ("ipvs", 0.28)),
    "iptables is the default; IPVS is what many guides for own hardware choose; estimate",
)
CILIUM_MODES = Split(
    "service proxy beside Cilium",
    (("ebpf", 0.7), ("iptables", 0.3)),
    "its replacement of kube-proxy, which its layer-2 announcements need, or kube-proxy beside it; estimate",
)
MINORS = Split(
    "minor version of Kubernetes",
    ((30, 0.7), (25, 0.18), (22, 0.12)),
    "one for each side of the turns at 1.24 and 1.26; who asks runs a recent version mostly; estimate",
)
METALLB = Split(
    "announcer, with MetalLB",
    (("metallb-l2", 0.65), ("metallb-bgp", 0.35)),
    "layer 2 is the simpler mode, which its manual shows first; estimate",
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
MULTIPATHS = Split(
    "multipath at the router, where a flow comes and goes or several next hops are shown",
    ((True, 0.5), (False, 0.5)),
    "FRR spreads by default; RouterOS, IOS and BIRD use one path unless told otherwise",
)
EMPTY = Split(
    "why a service has no endpoints",
    (("not-ready", 0.6), ("selector", 0.4)),
    "an empty list may mean either; pods are unready more often than a selector is wrong; estimate",
)
ENCAPSULATIONS = Split(
    "encapsulation, with Calico's mesh off",
    (("vxlan", 0.6), ("none", 0.4)),
    "who switches the mesh off has VXLAN, or peers with routers that carry the pods' packets; estimate",
)
ROUTED_ON_LINK = Chance(0.02, "an address in the nodes' own subnet is announced over BGP, though nothing mentions BGP")
PARTLY = frozenset({Outcome.INTERMITTENT, Outcome.SLOW, Outcome.RESETS})
SECOND_HAND_ENCAPSULATION = Chance(
    0.12, "the pool in use differs from the Installation's: the operator creates pools only where there is none"
)


class Variant(Struct, frozen=True):
    """One combination: the leaves that it sets, and its prior."""

    changes: tuple[tuple[Key, object], ...]
    prior: float


def variants(network: Network) -> tuple[Variant, ...]:
    """The combinations worth walking, likeliest first; at least the empty one."""
    axes = [axis for axis in _axes(network) if axis]
    combined = [
        Variant(tuple((key, value) for key, value, _ in choice), prod(p for *_, p in choice))
        for choice in product(*axes)
    ]
    combined.sort(key=lambda v: (-v.prior, str(v.changes)))
    return tuple(combined[:MOST_VARIANTS])


Axis = list[tuple[Key, object, float]]


def _axes(network: Network) -> list[Axis]:
    service = network.flow.service
    axes: list[Axis] = []
    if network.seen(service, POLICY) is None:
        axes.append([(POLICY.of(service), value, p) for value, p in POLICIES.shares])
    announcer = network.seen("cluster", ANNOUNCER)
    if announcer is None and ("calico" not in network.stack or "metallb" in network.stack or _beside(network)):
        axes.append([(ANNOUNCER.of("cluster"), value, p) for value, p in _announcers(network)])
    if network.seen("cluster", PROXY_MODE) is None:
        modes = CILIUM_MODES if "cilium" in network.stack else MODES
        axes.append([(PROXY_MODE.of("cluster"), value, p) for value, p in modes.shares])
    if network.seen("cluster", KUBERNETES_MINOR) is None:
        axes.append([(KUBERNETES_MINOR.of("cluster"), value, p) for value, p in MINORS.shares])
    axes += [_multipath(network), _encapsulation(network), _why_empty(network), _whereabouts(network)]
    return axes


def _announcers(network: Network) -> tuple[tuple[str, float], ...]:
    """Who may announce, where nothing says it.

    An address in the client's or the nodes' own subnet, or one that somebody answered ARP for, is announced by
    layer 2, unless anything shows that BGP is spoken at all.
    """
    table = METALLB if "metallb" in network.stack else CILIUM if _cilium_allocates(network) else ANNOUNCERS
    if "calico" in network.stack and table is ANNOUNCERS:
        table = CALICO
    routing = any(isinstance(f, BgpSession) or (isinstance(f, Route) and f.protocol == "bgp") for f in network.observed)
    if routing or not _beside(network):
        return table.shares
    (routed, _), (layer2, _) = sorted(table.shares, key=lambda entry: entry[0].endswith("-l2"))
    return ((layer2, 1 - ROUTED_ON_LINK), (routed, ROUTED_ON_LINK))


def _beside(network: Network) -> bool:
    """Whether the address lies in the nodes' or the client's own subnet, or somebody answered ARP for it."""
    address = network.flow.address
    nodes = [a for n in network.nodes if (a := network.seen(n, ADDRESS)) and "." in a]
    beside = bool(address) and any(contains(f"{a}/24", address) for a in nodes)
    answered = any(
        (isinstance(f, Packet) and f.what == "arp-reply" and f.source == address)
        or (isinstance(f, ProbeResult) and f.target == address and bool(f.macs))
        or (isinstance(f, Neighbour) and f.address == address and bool(f.mac))
        for f in network.observed
    )
    return network.seen("client", ROUTED) is False or beside or answered


def _cilium_allocates(network: Network) -> bool:
    return bool(network.objects_of("CiliumLoadBalancerIPPool"))


def _whereabouts(network: Network) -> Axis:
    """Under policy Local it matters which node runs the pod, where something was seen at single nodes.

    Under policy Cluster it matters where a list of endpoints names no nodes: whether the way leads to another node.
    """
    service = network.flow.service
    shown = network.seen(service, ENDPOINTS)
    if (
        shown
        and network.seen(service, POLICY) == "Cluster"
        and len(network.nodes) > 1
        and not any(e.node for e in shown)
    ):
        anywhere = network.nodes[:MOST_WHEREABOUTS]
        located = [tuple(replace(e, node=node) for e in shown) for node in anywhere]
        return [(ENDPOINTS.of(service), endpoints, 1 / len(anywhere)) for endpoints in located]
    if network.seen(service, POLICY) != "Local" or shown is not None:
        return []
    at_node = any(isinstance(f, VirtualServer) and f.device in network.nodes for f in network.observed)
    from_node = any(isinstance(f, ProbeResult) and f.source in network.nodes for f in network.observed)
    nodes = network.nodes[:MOST_WHEREABOUTS] if at_node or from_node else ()
    return [(ENDPOINTS.of(service), (Endpoint("", node),), 1 / len(nodes)) for node in nodes]


def _multipath(network: Network) -> Axis:
    """Matters where a flow comes and goes, or a router shows several next hops."""
    partly = any(isinstance(f, ProbeResult) and f.outcome in PARTLY for f in network.observed)
    hops: dict[str, set[str]] = {}
    for fact in network.observed:
        if isinstance(fact, Route) and fact.device == "router" and fact.next_hops:
            hops.setdefault(fact.prefix, set()).update(h.via for h in fact.next_hops)
    if not partly and not any(len(found) > 1 or "*" in found for found in hops.values()):
        return []
    return [(MULTIPATH.of("router"), value, p) for value, p in MULTIPATHS.shares]


def _why_empty(network: Network) -> Axis:
    """An empty list of endpoints does not say whether pods are not ready or none is selected."""
    service = network.flow.service
    if network.seen(service, ENDPOINTS) != () or network.seen(service, WHY_EMPTY) is not None:
        return []
    return [(WHY_EMPTY.of(service), value, p) for value, p in EMPTY.shares]


def _encapsulation(network: Network) -> Axis:
    """Matters only where nobody but Felix could tell a node of the others' pods: mesh off."""
    key = ENCAPSULATION.of("cluster")
    if network.seen("cluster", MESH) is not False:
        return []
    seen = network.settings.get(key)
    if seen is None:
        return [(key, value, p) for value, p in ENCAPSULATIONS.shares]
    if seen.trust >= Trust.OUTPUT:
        return []
    other = "vxlan" if seen.value != "vxlan" else "none"
    return [(key, seen.value, 1 - SECOND_HAND_ENCAPSULATION), (key, other, SECOND_HAND_ENCAPSULATION)]
