"""Small clusters by hand: three nodes, one service, and any leaf set to what a test needs."""

from __future__ import annotations

from typing import Any

from kubereach.model import attribute as a
from kubereach.model.attribute import Attribute, Endpoint, Key, ServicePort
from kubereach.model.network import Flow, Network, Seen
from kubereach.simulate.walk import Fate, Packet, Walk, walk
from kubereach.simulate.world import World

NODES = ("node/ash", "node/elm", "node/oak")
ASH, ELM, OAK = NODES
SERVICE = "service/default/web"
VIP = "203.0.113.20"
HOST = f"{VIP}/32"
POOL = "203.0.113.16/28"
PORT = 80
POD_ON = {ASH: "10.244.0.7", ELM: "10.244.1.7", OAK: "10.244.2.7"}
Leaf = tuple[str, Attribute[Any], object]


def endpoints(*nodes: str) -> tuple[Endpoint, ...]:
    """A ready pod on each of `nodes`."""
    return tuple(Endpoint(POD_ON[node], node) for node in nodes)


def world(*leaves: Leaf, announcer: str = "metallb-bgp", pods: tuple[str, ...] = (OAK,), address: str = VIP) -> World:
    """A world of three nodes behind a router, with the given leaves seen and all others nominal."""
    seen: dict[Key, Seen] = {
        a.ANNOUNCER.of("cluster"): Seen(announcer),
        a.ADDRESSES.of(SERVICE): Seen((address,)),
        a.PORTS.of(SERVICE): Seen((ServicePort(PORT),)),
        a.ENDPOINTS.of(SERVICE): Seen(endpoints(*pods)),
        a.ROUTED.of("client"): Seen(not announcer.endswith("-l2")),
    }
    seen |= {attribute.of(subject): Seen(value) for subject, attribute, value in leaves}
    return World(
        Network(
            flow=Flow(service=SERVICE, address=address, port=PORT, client="198.51.100.9"),
            nodes=NODES,
            routers=("router",),
            services=(SERVICE,),
            settings=seen,
            observed=(),
            owners={},
        )
    )


def proxied(mode: str, minor: int, policy: str, *leaves: Leaf, pods: tuple[str, ...] = (OAK,)) -> World:
    """A world with kube-proxy in `mode` at Kubernetes 1.`minor`."""
    return world(
        ("cluster", a.PROXY_MODE, mode),
        ("cluster", a.KUBERNETES_MINOR, minor),
        (SERVICE, a.POLICY, policy),
        *leaves,
        pods=pods,
    )


def via(node: str) -> Leaf:
    """The router's only way for the pool leads to `node`, by a static route."""
    return ("router", a.STATIC_ROUTES, ((HOST, node),))


def sent(where: World, source: str = "client", port: int | None = PORT) -> Walk:
    """The walk of a packet to the service's address; `port` None is an echo request."""
    address = where.network.flow.address
    return walk(where, SERVICE, Packet(source, address, port, "TCP" if port else "ICMP"))


def fates(found: Walk) -> set[Fate]:
    """How its branches end."""
    return {branch.fate for branch in found.branches}


def only(found: Walk) -> Fate:
    """How all of its branches end."""
    assert len(fates(found)) == 1, fates(found)
    return fates(found).pop()
