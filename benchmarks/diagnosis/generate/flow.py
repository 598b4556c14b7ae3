"""Where a packet of the client is lost, and what the client then sees: the generator's own small idea of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.diagnosis.generate.site import Node, Pod, Site

# The stages of the way, in order. A capture at a place shows the packet when it is lost later than there.
NAME, CLIENT, WIRE, ROUTER, NODE_IN, PROXY, FORWARD, FABRIC, POD_IN, POD, REPLY, REPLY_OUT, RETURN, DATA = range(14)


OLD_ADDRESS = "192.0.2.77"  # once the router's own


@dataclass(frozen=True)
class Loss:
    """`how`: silent, refused (RST or port unreachable), prohibited (ICMP 3/10 or 3/13), unreachable (ICMP 3/1),
    stall (the handshake works), reset, http, wrong-source, slow. `node`: only where this node is the entry;
    `remote`: only where the pod is on another node; `share`: part of the connections alone.
    """

    stage: int
    how: str
    node: str = ""
    remote: bool = False
    share: bool = False
    inside: bool = False  # nodes and pods meet it as well
    pod: str = ""


@dataclass
class Route:
    """A route of the router. `source`: bgp, static, connect. `note` says why it is not used, or stale."""

    prefix: str
    via: str
    source: str
    active: bool = True
    as_path: str = ""
    table: str = "main"
    note: str = ""

    @property
    def length(self) -> int:
        return int(self.prefix.split("/")[1])


@dataclass(frozen=True)
class Try:
    """One connection: where it entered, which pod it was meant for, and what became of it (None: it worked)."""

    entry: str
    pod: str
    loss: Loss | None


def falls_back(site: Site) -> bool:
    """Whether a node without local pods sends to others all the same: kube-proxy's IPVS mode does since 1.24."""
    return site.mode == "ipvs" and site.minor >= 24 and site.stack != "kube-router"


def targets(site: Site, node: Node) -> list[Pod]:
    """The pods that the proxy of `node` may choose for an outside client."""
    if site.local:
        own = [pod for pod in site.ready if pod.node == node.name and pod.counted]
        return own or (site.ready if falls_back(site) else [])
    return site.ready


def loss_at(site: Site, node: Node, pod: Pod | None) -> Loss | None:
    """What stops a packet that enters at `node` and is meant for `pod`."""
    found = [
        loss
        for loss in site.losses
        if (not loss.node or loss.node == node.name)
        and (not loss.pod or (pod is not None and loss.pod == pod.name))
        and (not loss.remote or pod is None or pod.node != node.name)
    ]
    if not site.ready:
        found.append(Loss(PROXY, "silent" if site.mode == "ebpf" else "refused", inside=True))
    elif pod is None:
        found.append(Loss(PROXY, "refused" if site.mode == "ipvs" and not falls_back(site) else "silent"))
    elif site.local and pod.node != node.name:
        # IPVS since 1.24 hands it to another node's pod without translating the source.
        found.append(Loss(RETURN, "wrong-source"))
    return min(found, key=lambda loss: (loss.stage, loss.share), default=None)


def entries(site: Site) -> list[Node]:
    """The nodes that outside traffic enters at; empty when nothing attracts it."""
    if site.family == "host":
        return [node for node in site.nodes if node.ip == site.service.address] if site.service.address else []
    if site.family == "l2":
        return [site.node(name) for _, name in answering(site) if name]
    hops = [route.via for route in table(site) if route.active]
    return [node for node in site.nodes if node.ip in hops]


def tries(site: Site) -> list[Try]:
    """Every connection that the client's attempts may become."""
    found = []
    before = [loss for loss in site.losses if loss.stage < NODE_IN and not loss.node]
    for node in entries(site):
        choices: list[Pod | None] = [*targets(site, node)] or [None]
        for pod in choices:
            loss = loss_at(site, node, pod)
            found.append(Try(node.name, pod.name if pod else "", loss))
    if before:
        first = min(before, key=lambda loss: loss.stage)
        return [Try("", "", first)] + ([t for t in found if t.loss is None] if first.share else [])
    if not found:
        # Nobody answers ARP: the asking host reports it. No route: the router does, or passes it on to its uplink.
        on_link = site.family == "l2" or site.family == "host"
        return [
            Try(
                "", "", Loss(WIRE if on_link else ROUTER, "unreachable" if site.client.on_lan and on_link else "silent")
            )
        ]
    return found


def outcome(site: Site) -> list[str]:
    """The distinct results of the client, "ok" for a connection that worked; share losses give both."""
    results: set[str] = set()
    for one in tries(site):
        results.add(one.loss.how if one.loss else "ok")
        if one.loss and one.loss.share:
            results.add("ok")
    return sorted(results)


def answering(site: Site) -> list[tuple[str, str]]:
    """(MAC, node) of whoever answers ARP for the address on the nodes' segment."""
    if site.responders is not None:
        return site.responders
    if site.family != "l2" or not site.service.address or not site.leader or not candidates(site):
        return []
    leader = site.node(site.leader)
    return [(leader.mac, leader.name)]


def candidates(site: Site) -> list[Node]:
    """The nodes that the announcer takes into account for this service."""
    if not site.service.address or not site.announces_service:
        return []
    # kube-vip and keepalived hold the address on a leader's interface, whether or not anything is behind it.
    heedless = {"calico", "cilium-l2", "cilium-bgp", "kube-vip-arp", "keepalived"}
    if site.stack not in heedless and not site.ready:
        return []
    if site.stack in {"cilium-l2", "kube-vip-arp", "keepalived"} or not site.local:
        able = list(site.nodes)
    else:
        able = site.with_pod()
    return [n for n in able if n.agent == "Running" and not shut_out(site, n)]


def shut_out(site: Site, node: Node) -> bool:
    """The label that keeps a node from announcing: any value for MetalLB, "true" for Calico."""
    value = node.labels.get("node.kubernetes.io/exclude-from-external-load-balancers")
    if site.stack.startswith("metallb"):
        return value is not None and site.version >= "0.14.2"
    return site.stack in {"calico", "kube-router"} and value == "true"


def exports(site: Site, node: Node) -> list[str]:
    """The prefixes that the node's speaker sends to the router, before any filter."""
    if site.family != "bgp" or not site.service.address or node.agent not in {"Running", "notready"}:
        return []
    host = f"{site.service.address}/32"
    sends = []
    if site.stack == "calico":
        if site.announced and not shut_out(site, node):
            sends.append(site.announced)
        if not (site.local and site.announced) or site.aggregate_only:
            return sends
    if node in candidates(site) or (site.relays and candidates(site)):
        sends.append(host)
    return sends


def received(site: Site, node: Node) -> list[str]:
    """What of the node's prefixes reaches the router."""
    if not node.session.up or not site.router.neighbours:
        return []
    return [prefix for prefix in exports(site, node) if prefix not in node.withheld]


def table(site: Site) -> list[Route]:
    """The routes by which the client's packets are sent on: the longest prefix that holds the address."""
    found = [r for r in every_route(site) if r.table == "main" and holds(r.prefix, site.service.address)]
    best = max((r.length for r in found if r.active), default=0)
    return [r for r in found if r.length == best]


def every_route(site: Site) -> list[Route]:
    """All routes of the router for the pool, the ones that are not chosen too."""
    router = site.router
    routes = [replace(route) for route in router.static]
    for node in site.nodes:
        for prefix in received(site, node):
            if router.accepts == "all" or (router.accepts == "aggregate" and not prefix.endswith("/32")):
                why = router.hidden.get(prefix, "")
                via = node.peer_source or node.ip
                routes.append(Route(prefix, via, "bgp", not why, str(site.node_as), router.vrf or "main", why))
    for prefix in sorted({r.prefix for r in routes}):
        same = [r for r in routes if r.prefix == prefix and r.active]
        static = [r for r in same if r.source != "bgp"]
        keep = static or (same if router.multipath else same[:1])
        for route in same:
            route.active = any(route is kept for kept in keep)
    return sorted(routes, key=lambda r: (r.length, r.prefix, not r.active))


def holds(prefix: str, address: str) -> bool:
    """Whether `address` is inside `prefix`; an empty address is in none."""
    return bool(address) and ip_address(address) in ip_network(prefix)


def seen_source(site: Site) -> str:
    """The address that the client's packets have when they arrive at a node."""
    return OLD_ADDRESS if "src-clients" in site.router.nat else site.client.ip


def legs(site: Site) -> list[tuple[str, str, str]]:
    """(network, the router's address in it, device) of the router's links, the nodes' first, without the uplink."""
    router = site.router
    found = [(site.network, router.ip, "eth0")]
    if not site.client.on_lan and not router.behind:
        found.append((site.client.prefix, router.office_ip, "eth2"))
    return [*found, *router.links]
