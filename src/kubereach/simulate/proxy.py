"""What the node that a packet enters does with it: kube-proxy in each mode and version, or its replacement.

The outcome matrices are kube-proxy.md sections 2.3 and 3.3; the fallback of 1.24 is section 3.2, the filter of 1.26
section 3.3.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from kubereach.model.address import host_prefix
from kubereach.model.attribute import (
    ADDRESSES,
    AGENT_DOWN,
    ANNOUNCER,
    CLUSTER_IP,
    HEALTH_PORT,
    KUBERNETES_MINOR,
    LB_CIDRS,
    LOCAL_BROKEN,
    NODE_PORTS,
    NOT_PROGRAMMED,
    POLICY,
    POOL_OFFLINK,
    PORTS,
    PROXY_DOWN,
    PROXY_MODE,
    Endpoint,
)
from kubereach.simulate.announced import OWNERS_BY_KERNEL, announced, ready_endpoints
from kubereach.simulate.world import World

FALLBACK_MINOR = 24  # kubernetes PR 97081
IPVS_FILTER_MINOR = 26  # kubernetes PR 108460


class Treatment(StrEnum):
    """What happens to the packet at the entry node."""

    TRANSLATED = "translated"
    HOST = "host"  # the node's own stack answers
    PROXY = "proxy"  # the service proxy itself answers, on the health-check port
    REFUSED = "refused"  # RST or ICMP port unreachable
    DROPPED = "dropped"
    LOOPS = "loops"  # forwarded by the routing table, towards the router again
    ASKS = "asks"  # the node's own subnet holds the address, so the node asks by ARP who has it


class Treated(Struct, frozen=True):
    """The treatment, the endpoints it may choose, whether the source is translated too, and why."""

    kind: Treatment
    endpoints: tuple[Endpoint, ...] = ()
    masquerade: bool = False
    why: str = ""


class Aim(StrEnum):
    """What an address is to the service."""

    EXTERNAL = "external"
    NODE = "node port"
    CLUSTER_IP = "cluster address"


def aim(world: World, service: str, address: str) -> Aim:
    """Whether the address is the service's external one, a node's own, or the cluster's own one of the service."""
    if own_node(world, service, address):
        return Aim.NODE
    inner = address and address == world.network.seen(service, CLUSTER_IP)
    return Aim.CLUSTER_IP if inner and address not in _given(world, service) else Aim.EXTERNAL


def own_node(world: World, service: str, address: str) -> str:
    """The node whose own address this is, or "". An address that was given to the service stays the service's.

    ServiceLB alone gives services the nodes' own addresses (others.md section 3).
    """
    owner = world.network.owners.get(address, "")
    if owner not in world.network.nodes:
        return ""
    return owner if address not in _given(world, service) or world.get("cluster", ANNOUNCER) == "klipper" else ""


def _given(world: World, service: str) -> tuple[str, ...]:
    return world.network.seen(service, ADDRESSES) or ()


def serves(world: World, service: str, address: str, port: int | None) -> bool:
    """Whether the service has the port on that address. Unseen node ports are taken to be the ones that were tried."""
    ports = world.get(service, PORTS)
    if port is None:
        return True
    if aim(world, service, address) is not Aim.NODE:
        return any(p.port == port for p in ports)
    if world.get("cluster", ANNOUNCER) == "klipper" and any(p.port == port for p in ports):
        return True
    if port == world.get(service, HEALTH_PORT):
        return False
    shown = world.get(service, NODE_PORTS)
    return port in shown or (not shown and not any(p.port == port for p in world.network.seen(service, PORTS) or ()))


def address_is_local(world: World, service: str, address: str, node: str) -> bool:
    """Whether the node's kernel owns the address: IPVS binds it on every node, kube-vip and klipper on one."""
    if own_node(world, service, address) == node:
        return True
    if world.get(node, PROXY_DOWN) or world.get(node, NOT_PROGRAMMED):
        owned = False
    else:
        owned = world.get("cluster", PROXY_MODE) == "ipvs"
    if world.get("cluster", ANNOUNCER) in OWNERS_BY_KERNEL:
        owned = owned or node in announced(world, service, address).layer2
    return owned


def treat(world: World, service: str, address: str, port: int | None, node: str, origin: str) -> Treated:
    """A packet for address and port at `node`; `origin` is `outside`, `node` or `pod` (of this very node).

    `port` is None for ICMP.
    """
    if port is None or not serves(world, service, address, port):
        return _not_the_service(world, service, address, port, node)
    kind = aim(world, service, address)
    if world.get(node, PROXY_DOWN) or (address == world.network.flow.address and world.get(node, NOT_PROGRAMMED)):
        if address_is_local(world, service, address, node):
            return Treated(Treatment.REFUSED, why="nothing on the node serves the port")
        return _by_its_routes(world, service, address, node, "the node has no rule for the address")
    ready = ready_endpoints(world, service)
    if not ready:
        return Treated(Treatment.REFUSED, why="the service has no ready endpoint")
    if kind is Aim.CLUSTER_IP:
        return Treated(Treatment.TRANSLATED, ready, masquerade=True, why="the cluster's own address: any endpoint")
    if world.get(service, POLICY) != "Local":
        return Treated(
            Treatment.TRANSLATED, ready, masquerade=True, why="policy Cluster: any endpoint, source translated"
        )
    if kind is Aim.EXTERNAL and world.get("cluster", ANNOUNCER) == "kube-router":
        here = tuple(e for e in ready if e.node == node)
        if (
            not here
        ):  # its own proxy binds and serves the address on the endpoints' nodes alone (service_endpoints_sync.go)
            return _by_its_routes(world, service, address, node, "kube-router serves it on the pods' nodes alone")
        return Treated(Treatment.TRANSLATED, here, why="policy Local: its own endpoint, source kept")
    if kind is Aim.NODE and not any(e.node for e in ready):
        ready = tuple(replace(e, node=node) for e in ready)  # nobody says where they run: taken to be where they help
    return _local(world, node, origin, ready)


def _local(world: World, node: str, origin: str, ready: tuple[Endpoint, ...]) -> Treated:
    local = tuple(e for e in ready if e.node == node)
    mode = world.get("cluster", PROXY_MODE)
    bypasses = origin != "outside" and mode != "ipvs"  # src-type LOCAL and pods go to KUBE-SVC (kube-proxy.md 2.2)
    if local and not bypasses and not world.get(node, LOCAL_BROKEN):
        return Treated(Treatment.TRANSLATED, local, why="policy Local: its own endpoint, source kept")
    if world.get(node, LOCAL_BROKEN) and not bypasses:
        return Treated(Treatment.DROPPED, why="the rules for policy Local are wrong on the node")
    if mode == "ipvs":
        if world.get("cluster", KUBERNETES_MINOR) < FALLBACK_MINOR:
            return Treated(Treatment.REFUSED, why="no local endpoint: the virtual server is empty (before 1.24)")
        return Treated(
            Treatment.TRANSLATED,
            ready,
            why="no local endpoint: IPVS falls back to remote ones without translating the source (since 1.24)",
        )
    if origin == "outside":
        return Treated(Treatment.DROPPED, why="policy Local and no local endpoint")
    return Treated(Treatment.TRANSLATED, ready, masquerade=origin == "node", why="cluster traffic is short-circuited")


def blackholed(world: World, service: str, address: str, node: str) -> bool:
    """Whether the node's kernel has the blackhole that Calico's BIRD announces as host route.

    Only where serviceLoadBalancerIPs names the very address: wider ranges are kept out of it (calico.md section 4).
    A rule that translates before routing passes it by; the node's own packets are routed first and fail at once.
    """
    named = world.known("cluster", LB_CIDRS) and host_prefix(address) in world.get("cluster", LB_CIDRS)
    if not named or world.get("cluster", ANNOUNCER) != "calico-bgp":
        return False
    running = world.changed({AGENT_DOWN.of(node): False})  # BIRD leaves its routes in the kernel when it ends (persist)
    routes = announced(running, service, address).routes
    world.reads |= running.reads
    return any(r.node == node and r.prefix == host_prefix(address) and not r.relayed for r in routes)


def _by_its_routes(world: World, service: str, address: str, node: str, why: str) -> Treated:
    """What a node's routing table makes of an address that is not its own: the default gateway, or the own subnet.

    A layer-2 announcer answers others from user space; the node itself gets no answer, and says host unreachable.
    """
    if blackholed(world, service, address, node):
        return Treated(Treatment.DROPPED, why=f"{why}, and BIRD's own blackhole route for it is in the kernel")
    layer2 = world.get("cluster", ANNOUNCER).endswith(("-l2", "-arp")) and not world.get(service, POOL_OFFLINK)
    if layer2:
        return Treated(Treatment.ASKS, why=f"{why}, and nobody answers the node's own ARP request for it")
    return Treated(Treatment.LOOPS, why=why)


def _not_the_service(world: World, service: str, address: str, port: int | None, node: str) -> Treated:
    """ICMP, the health-check port, or a port that the service does not have."""
    if port and port == world.get(service, HEALTH_PORT) and own_node(world, service, address):
        if world.get(node, PROXY_DOWN):
            return Treated(Treatment.REFUSED, why="kube-proxy, which would answer health checks, does not run")
        return Treated(Treatment.PROXY, why="kube-proxy answers health checks on this port")
    if not address_is_local(world, service, address, node):
        mode = world.get("cluster", PROXY_MODE)
        if mode == "ebpf":
            return Treated(Treatment.LOOPS, why="no service port matches; the packet goes back to the router")
        return _by_its_routes(world, service, address, node, "no rule matches and the address is nobody's")
    filtered = world.get("cluster", KUBERNETES_MINOR) >= IPVS_FILTER_MINOR
    if filtered and world.get("cluster", PROXY_MODE) == "ipvs":
        return Treated(Treatment.REFUSED, why="KUBE-IPVS-FILTER rejects all but service ports (since 1.26)")
    what = "echo request" if port is None else f"port {port}"
    return Treated(Treatment.HOST, why=f"the address is local on the node, so its own stack gets the {what}")
