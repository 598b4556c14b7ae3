"""The Network from all facts of a bundle."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.build.allocation import put_allocation
from kubereach.build.allocation_cleared import put_cleared
from kubereach.build.announcement import put_announcement
from kubereach.build.chosen_sources import own_chosen_sources
from kubereach.build.client import own_asker, with_client
from kubereach.build.cluster import build_cluster
from kubereach.build.configured_peer import own_configured_peer
from kubereach.build.dataplane import put_dataplane, put_ip_mode
from kubereach.build.hosts import Hosts, find_hosts
from kubereach.build.leaves import Leaves
from kubereach.build.links import put_links
from kubereach.build.names import by_name
from kubereach.build.node_names import add_named_nodes
from kubereach.build.node_ports import find_node_ports
from kubereach.build.objects import gather
from kubereach.build.peering import put_peering, put_stated_peering
from kubereach.build.pod_places import put_pod_places
from kubereach.build.proxy_protocol import put_proxy_protocol
from kubereach.build.route_filters import put_import_policy
from kubereach.build.router_neighbours import add_router_neighbours
from kubereach.build.routers import without_second_router
from kubereach.build.said import said
from kubereach.build.segments import bound, put_segment_leaves
from kubereach.build.services import build_services
from kubereach.build.stack import find_stack, put_announcer
from kubereach.build.stated import put_stated
from kubereach.build.stated_endpoints import put_stated_endpoints
from kubereach.build.target import PLACEHOLDER, SERVICE_PROBES, Choice, choose
from kubereach.build.told import of_service, on_nodes, put_tried
from kubereach.build.vantages import apart_hosts, some_node
from kubereach.build.withdrawals import put_withdrawals
from kubereach.model.address import canonical_address, contains
from kubereach.model.attribute import (
    ADDRESS,
    ADDRESSES,
    ANNOUNCER,
    BGP_POOLS,
    CONTROL_PLANE,
    ENDPOINTS,
    EXPORT_FILTERS,
    L2_POOLS,
    LABELS,
    ROUTED,
    SHARED_LAN,
    STATIC_ROUTES,
)
from kubereach.model.fact import (
    NODES,
    AnyFact,
    BgpListing,
    BgpSession,
    Interface,
    InterfaceAddress,
    LogEvent,
    Neighbour,
    ObjectLeaf,
    ObjectListing,
    Outcome,
    Packet,
    ProbeKind,
    ProbeResult,
    Route,
    RouteListing,
    RouteLookup,
    Setting,
    Trust,
    VirtualServer,
    VirtualServerListing,
)
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.network import Flow, Network

NODE_FACTS = (VirtualServer, VirtualServerListing, RouteLookup, BgpListing)
DEVICE_FACTS = (*NODE_FACTS, Route, RouteListing, BgpSession, Neighbour, Interface, InterfaceAddress, Packet, LogEvent)


def build(facts: tuple[AnyFact, ...], choice: Choice | None = None) -> Network:
    """Join facts to a Network. Raises UsageError when `choice` names what the evidence does not hold."""
    facts = (*facts, *said(facts))
    current = tuple(f for f in facts if not f.given)  # another state is no part of this snapshot
    objects = gather(current)
    hosts = find_hosts(objects, current)
    add_named_nodes(current, hosts)
    own_chosen_sources(current, hosts)
    own_configured_peer(objects, hosts)
    add_router_neighbours(objects, current, hosts)
    leaves = Leaves()
    build_cluster(objects, current, leaves)
    services = build_services(objects, leaves)
    put_stated(current, hosts, leaves)
    put_stated_endpoints(current, hosts, leaves)
    put_stated_peering(current, hosts, leaves)
    stack = find_stack(objects, current)
    put_allocation(objects, current, stack, leaves)
    put_cleared(objects, current, leaves)
    find_node_ports(current, hosts, leaves)
    flow = choose(services, leaves, current, choice or Choice())
    facts = without_second_router(facts, flow, hosts, leaves)
    facts = of_service(apart_hosts(by_name(flow, facts), flow, hosts), flow, hosts)
    for fact in facts:
        if isinstance(fact, NODE_FACTS):  # before it is asked whose the other facts of the same host are
            hosts.resolve(fact.device, node_like=True)
    observed = tuple(_resolved(f, hosts) for f in _apart(flow, facts) if isinstance(f, (ProbeResult, *DEVICE_FACTS)))
    flow = with_client(_sourced(flow, observed), observed, hosts)
    own_asker(flow, observed, hosts)
    put_proxy_protocol(objects, (*current, *observed), leaves)
    held = flow.address in hosts.owners or bound(flow.address, current)
    put_announcer(stack, objects, current, None if held else flow, leaves)
    put_dataplane(objects, current, hosts, flow, leaves)
    put_peering((*observed, *(f for f in current if isinstance(f, Setting))), objects, hosts, leaves)
    put_announcement(objects, current, flow, hosts, leaves)
    put_import_policy(current, flow, hosts, leaves)
    put_links(
        (*observed, *(f for f in current if isinstance(f, (Setting, ObjectListing)))), objects, flow, hosts, leaves
    )
    put_pod_places(observed, flow, hosts.nodes, leaves)
    assumed = _assume(flow, hosts, leaves, alone=_alone(current, hosts))
    put_ip_mode(objects, hosts, flow, leaves)
    put_withdrawals(observed, flow, hosts, leaves)
    flow, observed = on_nodes(observed, flow, hosts, leaves)
    put_tried(observed, flow, leaves)
    _put_hosts(objects, hosts, leaves)
    _put_segment(flow, observed, hosts, leaves)
    _put_static_routes(observed, leaves)
    _put_empty_listings(current, leaves)
    put_segment_leaves(objects, current, observed, flow, hosts, leaves)
    return Network(
        flow=flow,
        nodes=tuple(hosts.nodes),
        routers=("router",),
        services=services or (flow.service,),
        settings=leaves.table,
        observed=observed + tuple(f for f in current if isinstance(f, (Setting, ObjectListing))),
        owners=hosts.owners,
        stack=stack,
        assumed=assumed,
        objects=objects,
    )


_ADVERTS = {"BGPAdvertisement", "CiliumBGPAdvertisement"}


def _put_empty_listings(facts: tuple[AnyFact, ...], leaves: Leaves) -> None:
    """A complete listing without a row says that there is no advertisement of the kind; one of peers is another matter.

    Cilium's older BGP needs none of the newer kinds (others.md section 1).
    """
    older = any(isinstance(fact, ObjectLeaf) and fact.kind == "CiliumBGPPeeringPolicy" for fact in facts)
    for fact in facts:
        if isinstance(fact, ObjectListing) and fact.complete and not fact.names:
            if fact.kind in {"L2Advertisement", "CiliumL2AnnouncementPolicy"}:
                leaves.put("cluster", L2_POOLS, (), (fact.origin,))
            elif fact.kind in _ADVERTS and not (older and fact.kind.startswith("Cilium")):
                leaves.put("cluster", BGP_POOLS, (), (fact.origin,))
            elif fact.kind == "BGPFilter":
                leaves.put("cluster", EXPORT_FILTERS, (), (fact.origin,))


def _resolved(fact: AnyFact, hosts: Hosts) -> AnyFact:
    """The fact with its hosts as subjects. A probe from nowhere in particular is taken for the client's."""
    if isinstance(fact, ProbeResult):
        source = (
            fact.source
            if fact.source.startswith("elsewhere") or fact.source == NODES
            else hosts.resolve(fact.source) or some_node(fact.source) or fact.source or "client"
        )
        if fact.probe is ProbeKind.CAPTURE and source == "client" and fact.source:
            source = fact.source  # captured packets may come from the service's own address, which is nobody's name
        listens = fact.at if fact.at in {"", NODES} else hosts.resolve(fact.at, node_like=True)
        return replace(fact, source=source, at=listens)
    if isinstance(fact, DEVICE_FACTS) and fact.device != NODES:
        device = hosts.resolve(fact.device, node_like=isinstance(fact, NODE_FACTS)) or some_node(fact.device)
        return replace(fact, device=device)
    return fact


def _apart(flow: Flow, facts: tuple[AnyFact, ...]) -> tuple[AnyFact, ...]:
    """Connections of other clients than the flow's, marked as from elsewhere where they fared otherwise.

    "From outside it works, from 10.0.0.5 it does not" is said of two places, and not of one that contradicts itself.
    """
    tried = [f for f in facts if isinstance(f, ProbeResult) and f.target == flow.address and f.probe in SERVICE_PROBES]
    mine = {
        f.outcome for f in tried if f.source and (canonical_address(f.source) or f.source) in {flow.client, "client"}
    }
    unnamed = {"outside", "elsewhere"} if flow.client else set()
    others = {
        id(f): f
        for f in tried
        if mine
        and f.outcome not in mine
        and (f.source in unnamed or canonical_address(f.source) not in {None, flow.client})
    }
    shown = (f"{f.address}/{f.prefix_length}" for f in facts if isinstance(f, InterfaceAddress))
    links = [link for link in shown if contains(link, flow.address) and not link.endswith(("/32", "/-1"))]
    moved = {key: replace(f, source=_where(f.source, flow, links)) for key, f in others.items()}
    return tuple(moved.get(id(f), f) for f in facts)


def _where(source: str, flow: Flow, links: list[str]) -> str:
    """Another client's place: on the address's own segment while the flow's is not, or any.

    The segment is that of the interfaces seen, `links`, or else a /24.
    """
    if canonical_address(source) is None or ":" in source:
        return "elsewhere"
    around = links or [f"{source}/24"]
    beside = any(contains(link, source) and contains(link, flow.address) for link in around)
    mine = any(contains(link, flow.client) for link in around) if flow.client else False
    return "elsewhere/segment" if beside and not mine else "elsewhere"


def _sourced(flow: Flow, observed: tuple[AnyFact, ...]) -> Flow:
    """The flow from inside the cluster where nobody outside tried the service; the likeliest is who failed."""
    kinds = {ProbeKind.TCP, ProbeKind.HTTP, ProbeKind.UDP}
    tries = [f for f in observed if isinstance(f, ProbeResult) and f.target == flow.address and f.probe in kinds]
    inside = [f for f in tries if f.source.startswith(("node/", "pod/")) or f.source == NODES]
    good = {Outcome.REPLY, Outcome.OPEN}
    failed = [f for f in inside if f.outcome not in good]
    if len(inside) != len(tries):
        # Where it works outside, what pods complain of is their own way.
        failed = [f for f in failed if f.source.startswith("pod/")]
        if not all(f.outcome in good and (f.http_status or 0) < 400 for f in tries if f not in inside):
            return flow
    if not failed or flow.client:
        return flow
    return replace(flow, source=failed[0].source)


def _alone(facts: tuple[AnyFact, ...], hosts: Hosts) -> bool:
    """Whether the one node known is all there is: the cluster lists no other, or the router no other neighbour."""
    peers = {hosts.owners.get(f.peer, "") for f in facts if isinstance(f, BgpSession)}
    return any(
        (isinstance(f, ObjectListing) and f.kind == "Node" and f.complete)
        or (
            isinstance(f, BgpListing)
            and f.complete
            and hosts.resolve(f.device) == "router"
            and hosts.nodes.keys() & peers
        )
        for f in facts
    )


def _assume(flow: Flow, hosts: Hosts, leaves: Leaves, *, alone: bool) -> tuple[str, ...]:
    """Give the flow what every such flow has, and say so."""
    said = []
    unseen = leaves.get(flow.service, ADDRESSES) is None
    if flow.service == PLACEHOLDER or unseen:
        what = "one service of type LoadBalancer" if flow.service == PLACEHOLDER else flow.service.replace("/", " ", 1)
        said.append(f"{what} at {flow.address or 'an address that is not shown'}")
        if flow.address and hosts.owners.get(flow.address) not in hosts.nodes:
            leaves.put(flow.service, ADDRESSES, (flow.address,), (), Trust.MENTIONED)
    endpoint_nodes = {e.node for e in leaves.get(flow.service, ENDPOINTS) or () if e.node}
    for node in endpoint_nodes:
        hosts.add_node(node)
    if not hosts.nodes:
        hosts.add_node("node/(node with the pod)")
        hosts.add_node("node/(another node)")
        said.append("two nodes, one of them with the pod")
    elif len(hosts.nodes) == 1 and not alone:
        hosts.add_node("node/(another node)")
        said.append(f"a second node beside {next(iter(hosts.nodes)).removeprefix('node/')}")
    elif unnamed := [n for n in hosts.nodes if n.removeprefix("node/") in hosts.owners]:
        named = [n for n in hosts.nodes if n not in unnamed]
        if named:
            said.append(
                f"{' and '.join(n.removeprefix('node/') for n in unnamed)} and "
                f"{' and '.join(n.removeprefix('node/') for n in named)} are different nodes"
            )
    return tuple(said)


def _put_hosts(objects: dict[ObjectKey, KubeObject], hosts: Hosts, leaves: Leaves) -> None:
    for subject, (address, origins, trust) in hosts.addresses.items():
        leaves.put(subject, ADDRESS, address, origins, trust)
    for subject, origins in hosts.control_plane.items():
        leaves.put(subject, CONTROL_PLANE, value=True, origins=origins)
    for (kind, _, name), entry in objects.items():
        labels = entry.mapping("metadata.labels") if kind == "Node" else {}
        if labels:
            leaves.put(f"node/{name}", LABELS, tuple(sorted(labels.items())), entry.origins("metadata.labels"))


def _put_segment(flow: Flow, observed: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """Whether the client sits on the nodes' segment, and whether it asks a router at all.

    A redirect proves both: a router sends one only when in- and out-interface are the same and the next hop is on the
    sender's subnet (RFC 1812 section 5.2.7.2; Linux ip_forward.c). Otherwise equal /24s are a guess, trusted little.
    """
    redirects = [
        f
        for f in observed
        if isinstance(f, ProbeResult)
        and f.source == "client"
        and any(new != f.target and hosts.owners.get(old) not in hosts.nodes for old, new in f.redirects)
    ]
    if redirects:
        where = [f.origin for f in redirects]
        leaves.put("client", SHARED_LAN, value=True, origins=where)
        leaves.put("client", ROUTED, value=True, origins=where)
        router, _ = redirects[0].redirects[0]
        hosts.own("router", router, (redirects[0].origin,))
    client = flow.client or hosts.addresses.get("client", ("",))[0]
    if client:
        leaves.put("client", ADDRESS, client, (), Trust.OUTPUT)
    around = f"{client}/24" if "." in client else f"{client}/64" if client else ""
    others = [a for s, (a, _, _) in hosts.addresses.items() if s in hosts.nodes]
    if around and others and not redirects:
        leaves.put("client", SHARED_LAN, any(contains(around, a) for a in others), (), Trust.MENTIONED)
    shown = _own_way(flow, observed) if flow.address and not redirects else None
    if shown is not None:
        leaves.put("client", ROUTED, shown[0], (shown[1].origin,))
    elif flow.address and not redirects:
        routed = (leaves.get("cluster", ANNOUNCER) or "").endswith(("bgp", "kube-router"))
        # Who serves by BGP expects clients behind the router: the nodes' own subnet says nothing of an unknown client.
        known = [around] if around else [] if routed else [f"{a}/24" for a in others if "." in a]
        if known:
            onlink = any(contains(prefix, flow.address) for prefix in known)
            leaves.put("client", ROUTED, not onlink, (), Trust.MENTIONED)


def _own_way(flow: Flow, observed: tuple[AnyFact, ...]) -> tuple[bool, AnyFact] | None:
    """Whether the client asks a router for the address, as its own look-up or neighbour table shows it.

    A host has a neighbour entry, be it a failed one, only for what it takes to be on its link (RFC 1122 section 2.3.2).
    """
    for fact in observed:
        if isinstance(fact, RouteLookup) and fact.device == "client" and fact.address == flow.address:
            if fact.kind == "unicast" and fact.interface:
                return bool(fact.via), fact
        elif isinstance(fact, Neighbour) and fact.device == "client" and fact.address == flow.address:
            return False, fact
    return None


def _put_static_routes(observed: tuple[AnyFact, ...], leaves: Leaves) -> None:
    found = [
        f
        for f in observed
        if isinstance(f, Route) and f.device == "router" and f.protocol == "static" and f.active is not False
    ]
    routes = tuple((f.prefix, hop.via) for f in found for hop in f.next_hops if hop.via)
    if routes:
        leaves.put("router", STATIC_ROUTES, routes, [f.origin for f in found])
