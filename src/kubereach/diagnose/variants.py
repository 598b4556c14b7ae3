"""Unknowns that are no faults: settings that evidence does not give, or gives only at second hand.

Each is summed over by its prior, and only a few combinations are kept: the likeliest ones.
"""

from __future__ import annotations

from ipaddress import ip_network
from itertools import product
from math import prod

from msgspec import Struct
from msgspec.structs import replace

from kubereach.diagnose.announcers import announcers, beside
from kubereach.diagnose.chance import Chance, Split
from kubereach.model.address import host_prefix
from kubereach.model.attribute import (
    ANNOUNCER,
    CONTROL_PLANE,
    ENCAPSULATION,
    ENDPOINTS,
    KUBERNETES_MINOR,
    LB_CIDRS,
    MESH,
    MULTIPATH,
    POLICY,
    PROXY_MODE,
    RANGES_SEEN,
    WHY_EMPTY,
    Endpoint,
    Key,
)
from kubereach.model.fact import (
    Outcome,
    Packet,
    ProbeResult,
    Route,
    Trust,
    VirtualServer,
)
from kubereach.model.network import Network

MOST_VARIANTS = 24
# The endpoint that Cilium gives a service of its Ingress, which Envoy serves on every node (cilium operator/pkg/model).
CILIUM_INGRESS = "192.192.192.192"
MOST_PLACES = 3  # nodes of which each may run pods that nobody places
POLICIES = Split(
    "externalTrafficPolicy",
    (("Cluster", 0.62), ("Local", 0.38)),
    "Cluster is the default; Local is over-represented among those who ask, since it makes the entry node matter",
)
NODE_PORT_POLICIES = Split(
    "externalTrafficPolicy, of a service that is used by a node's own address",
    (("Cluster", 0.88), ("Local", 0.12)),
    "with Local the other nodes' ports are dead, and few set it for node ports; estimate",
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
ANNOUNCED = Split(
    "what Calico's serviceLoadBalancerIPs hold, where nothing shows it",
    (("range", 0.85), ("address", 0.15)),
    "the manual's examples are ranges, and a pool is one; estimate",
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
ON_CONTROL_PLANE = Chance(
    0.5, "the weight of a control plane against a worker's 1 for pods that nobody places: tainted by default; estimate"
)
_WELL = frozenset({Outcome.REPLY, Outcome.OPEN})
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
    combined = _without_idle(network, combined)
    combined.sort(key=lambda v: (-v.prior, str(v.changes)))
    return tuple(combined[:MOST_VARIANTS])


def _without_idle(network: Network, found: list[Variant]) -> list[Variant]:
    """One variant for those that differ in a leaf which their worlds never read.

    The minor version is read in IPVS mode alone (simulate.proxy, simulate.delivery), and Calico's ranges by Calico.
    """
    mode, announcer = PROXY_MODE.of("cluster"), ANNOUNCER.of("cluster")
    shares: dict[tuple[tuple[Key, object], ...], float] = {}
    for variant in found:
        settings = dict(variant.changes)
        if settings.get(mode, network.seen("cluster", PROXY_MODE)) != "ipvs":
            settings.pop(KUBERNETES_MINOR.of("cluster"), None)
        if settings.get(announcer, "calico-bgp") != "calico-bgp":
            settings.pop(LB_CIDRS.of("cluster"), None)
        key = tuple(settings.items())
        shares[key] = shares.get(key, 0.0) + variant.prior
    return [Variant(changes, prior) for changes, prior in shares.items()]


Axis = list[tuple[Key, object, float]]


def _axes(network: Network) -> list[Axis]:
    service = network.flow.service
    axes: list[Axis] = []
    if network.seen(service, POLICY) is None:
        own = network.owners.get(network.flow.address) in network.nodes
        policies = NODE_PORT_POLICIES if own else POLICIES
        axes.append([(POLICY.of(service), value, p) for value, p in policies.shares])
    announcer = network.seen("cluster", ANNOUNCER)
    named = "calico" not in network.stack or network.stack & {"metallb", "kube-vip"}
    if announcer is None and (named or beside(network)):
        axes.append([(ANNOUNCER.of("cluster"), value, p) for value, p in announcers(network)])
    if network.seen("cluster", PROXY_MODE) is None:
        modes = CILIUM_MODES if "cilium" in network.stack else MODES
        axes.append([(PROXY_MODE.of("cluster"), value, p) for value, p in modes.shares])
    if network.seen("cluster", KUBERNETES_MINOR) is None:
        axes.append([(KUBERNETES_MINOR.of("cluster"), value, p) for value, p in MINORS.shares])
    seen = network.settings.get(ENDPOINTS.of(service))
    if seen and seen.rivals:  # outputs of two times, of which nobody knows which is now
        values = (seen.value, *seen.rivals)
        axes.append([(ENDPOINTS.of(service), value, 1 / len(values)) for value in values])
    axes += [_multipath(network), _encapsulation(network), _why_empty(network), _whereabouts(network)]
    axes.append(_ranges(network))
    return axes


def _whereabouts(network: Network) -> Axis:
    """Under policy Local it matters which nodes run the pods: where nobody says, each may.

    Under policy Cluster it matters where a list of endpoints names no nodes: whether the way leads to another node.
    Without any list of endpoints only where something was seen at single nodes, or of several nodes' ports; else the
    nominal place stands for all.
    """
    service = network.flow.service
    known = network.seen(service, ENDPOINTS)
    if (seen := network.settings.get(ENDPOINTS.of(service))) and seen.rivals:
        return []
    if known is None:
        at_node = any(isinstance(f, VirtualServer) and f.device in network.nodes for f in network.observed)
        from_node = any(isinstance(f, ProbeResult) and f.source in network.nodes for f in network.observed)
        asked = {network.owners.get(f.target) for f in network.observed if isinstance(f, ProbeResult)}
        compared = len(asked & {*network.nodes}) > 1  # by their node ports: the pod's node fares otherwise
        if not compared and (network.seen(service, POLICY) != "Local" or not (at_node or from_node)):
            return []
        known = (Endpoint("", ""),)
    if not any(_somewhere(e) for e in known) or _without_node(network):
        return []
    workers = [n for n in network.nodes if not network.seen(n, CONTROL_PLANE)]
    # One that the traffic is seen to enter at is worth a world of its own, whatever its role.
    nodes = list(dict.fromkeys((*workers[: MOST_PLACES - 1], *network.nodes)))[:MOST_PLACES]
    placed = [(node, tuple(replace(e, node=node) if _somewhere(e) else e for e in known)) for node in nodes]
    weights = [1.0 if node in workers else ON_CONTROL_PLANE for node in nodes]
    return [(ENDPOINTS.of(service), ends, w / sum(weights)) for (_, ends), w in zip(placed, weights, strict=True)]


def _somewhere(endpoint: Endpoint) -> bool:
    """Whether it runs on some node that is not shown: a ready one, and not the stand-in of Cilium's Ingress."""
    return endpoint.ready and not endpoint.node and endpoint.address != CILIUM_INGRESS


def _without_node(network: Network) -> bool:
    """Whether an EndpointSlice was shown whole, so that an endpoint in it without a node has none.

    Tables and describe never print conditions beside an address, and never the node.
    """
    slices = network.objects_of("EndpointSlice")
    return any("ready" in path for entry in slices for path in entry.fields if path.startswith("endpoints"))


def _ranges(network: Network) -> Axis:
    """What Calico announces, where nothing shows it: a range, as its manual has it, or the very address."""
    address, key = network.flow.address, LB_CIDRS.of("cluster")
    announcer = network.seen("cluster", ANNOUNCER)
    calico = announcer == "calico-bgp" or (announcer is None and network.stack & {"calico", "metallb"})
    if not calico or not address or key in network.settings or RANGES_SEEN.of("cluster") in network.settings:
        return []
    length = 112 if ":" in address else 24
    values = {"range": (str(ip_network(f"{address}/{length}", strict=False)),), "address": (host_prefix(address),)}
    return [(key, values[value], p) for value, p in ANNOUNCED.shares]


def _multipath(network: Network) -> Axis:
    """Matters where a flow comes and goes, enters at several nodes, or a router shows several next hops."""
    tries = [f for f in network.observed if isinstance(f, ProbeResult)]
    partly = any(f.outcome in PARTLY for f in tries) or _by_turns(network, tries)
    entered = {
        f.device
        for f in network.observed
        if isinstance(f, Packet) and f.flags == "S" and _arrives(f, network.flow.address)
    }
    hops: dict[str, set[str]] = {}
    for fact in network.observed:
        if isinstance(fact, Route) and fact.device == "router" and fact.next_hops:
            hops.setdefault(fact.prefix, set()).update(h.via for h in fact.next_hops)
    if (
        not partly
        and len(entered & {*network.nodes}) < 2
        and not any(len(found) > 1 or "*" in found for found in hops.values())
    ):
        return []
    return [(MULTIPATH.of("router"), value, p) for value, p in MULTIPATHS.shares]


def _by_turns(network: Network, tries: list[ProbeResult]) -> bool:
    """Whether one command that tries the flow's address again and again, on the same host, fares now well and now not.

    What somebody tells of several tests may be of several conditions.
    """
    fared: dict[tuple[str, str], set[bool]] = {}
    for fact in tries:
        same = fact.target == network.flow.address and fact.port in {None, network.flow.port}
        if same and fact.trust is Trust.OUTPUT:
            fared.setdefault((fact.source, fact.origin.command), set()).add(fact.outcome in _WELL)
    return any(len(found) > 1 for found in fared.values())


def _arrives(packet: Packet, address: str) -> bool:
    return packet.direction == "In" and bool(address) and packet.destination == address


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
