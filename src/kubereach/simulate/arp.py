"""Who answers ARP or NDP for the address on the nodes' segment (others.md section 6, kube-proxy.md section 3.5)."""

from __future__ import annotations

from kubereach.model.address import family
from kubereach.model.attribute import (
    ANNOUNCER,
    ANTISPOOF,
    ARP_LOST,
    ARP_SILENT,
    EXTRA_RESPONDER,
    L2_WRONG_INTERFACE,
    MARTIAN,
    PROXY_DOWN,
    PROXY_MODE,
    ROUTED,
    RP_FILTER_DROP,
    STRICT_ARP,
)
from kubereach.simulate.announced import OWNERS_BY_KERNEL, announced
from kubereach.simulate.world import World


def responders(world: World, service: str, address: str) -> tuple[str, ...]:
    """The nodes whose answer arrives, the announcer's own choice first.

    Without strictARP every node of an IPVS cluster answers for the addresses on kube-ipvs0 (arp_ignore 0), on IPv4
    only: the dummy device joins no solicited-node group.
    """
    return tuple(n for n in _answering(world, service, address) if not _unheard(world, n))


def senders(world: World, service: str, address: str) -> tuple[str, ...]:
    """The nodes that answer, whether or not that arrives; who gets no request does not."""
    nodes = _answering(world, service, address)
    return tuple(n for n in nodes if not any(world.get(s, ARP_LOST) for s in (n, "cluster")))


def _answering(world: World, service: str, address: str) -> tuple[str, ...]:
    leaders = announced(world, service, address).layer2
    found = [n for n in leaders if not _mute(world, n)]
    loose = world.get("cluster", PROXY_MODE) == "ipvs" and not world.get("cluster", STRICT_ARP)
    if loose and family(address) == 4:
        found += [n for n in world.network.nodes if not world.get(n, PROXY_DOWN)]
    found += [n for n in world.network.nodes if world.get(n, EXTRA_RESPONDER)]
    return tuple(dict.fromkeys(found))


def _mute(world: World, node: str) -> bool:
    """Whether the leader is one that does not answer on the segment.

    A kernel checks who asks before it answers ARP for an address of its own (net/ipv4/arp.c arp_process); the router
    asks with an address of its own.
    """
    asked_by_client = not world.get("client", ROUTED)
    if (
        asked_by_client
        and world.get("cluster", ANNOUNCER) in OWNERS_BY_KERNEL
        and any(world.get(s, leaf) for s in (node, "cluster") for leaf in (RP_FILTER_DROP, MARTIAN))
    ):
        return True
    return any(world.get(s, leaf) for s in (node, "cluster") for leaf in (L2_WRONG_INTERFACE, ARP_SILENT))


def _unheard(world: World, node: str) -> bool:
    dropped = (world.get(subject, leaf) for subject in (node, "cluster") for leaf in (ARP_LOST, ANTISPOOF))
    return any(dropped)
