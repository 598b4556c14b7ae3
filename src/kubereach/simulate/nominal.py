"""Nominal values: what an unseen leaf is taken for in a completed world, and why.

Only faults and variants deviate from these. What can be wrong is right by default, so those leaves need no reason.
The docstrings of the functions are the reasons for what they give, and docs/priors.md shows them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubereach.model import attribute as a
from kubereach.model.address import contains, host_prefix

if TYPE_CHECKING:
    from kubereach.simulate.world import World

Nominal = Any | Callable[["World", str], Any]


def _announcer(world: World, _subject: str) -> str:
    """The product that is in the evidence at all; without any, some BGP speaker that does its work."""
    if world.network.seen("cluster", a.LB_CIDRS):
        return "calico-bgp"
    if "metallb" in world.network.stack:
        return "metallb-l2"
    return "calico-bgp" if "calico" in world.network.stack else "other-bgp"


def _endpoints(world: World, subject: str) -> tuple[a.Endpoint, ...]:
    """One ready pod: where the flow goes to a node by its own address, there; where a node holds the service's, there;

    else on no control plane if possible.
    """
    nodes = world.network.nodes
    if subject and (owner := world.network.owners.get(world.network.flow.address, "")) in nodes:
        return (a.Endpoint("", owner),)
    holder = world.network.seen(subject, a.LEASE_HOLDER) if subject else None
    if holder in nodes and holder is not None:
        return (a.Endpoint("", holder),)
    workers = [n for n in nodes if not world.network.seen(n, a.CONTROL_PLANE)]
    return (a.Endpoint("", (workers or list(nodes) or [""])[0]),) if subject else ()


def _agent_down(world: World, _subject: str) -> bool:
    """Where no agent's pod runs at all, no node's does; kube-vip's end where the interface they were given is none."""
    return world.network.seen("cluster", a.NO_AGENT_RUNS) is not None and not _named_no_interface(world)


def _named_no_interface(world: World) -> bool:
    network = world.network
    kube_vip = (network.seen("cluster", a.ANNOUNCER) or "").startswith("kube-vip")
    return kube_vip and any(network.seen(s, a.L2_WRONG_INTERFACE) is True for s in ("cluster", *network.nodes))


def _lb_cidrs(world: World, _subject: str) -> tuple[str, ...]:
    """A cluster whose configuration was not shown is taken to announce what holds the address and was seen announced.

    Without that, the address itself; under policy Local a host route says nothing of the ranges.
    """
    own = host_prefix(world.network.flow.address)
    seen = world.network.seen("cluster", a.RANGES_SEEN) or ()
    local = world.get(world.network.flow.service, a.POLICY) == "Local"
    held = tuple(p for p in seen if contains(p, world.network.flow.address) and not (local and p == own))
    return held or (own,)


def _strict_arp(world: World, _subject: str) -> bool:
    """False is kube-proxy's default; who announces on layer 2 in IPVS mode was told by the manuals to set it."""
    announcer = world.get("cluster", a.ANNOUNCER)
    return announcer.endswith(("-l2", "-arp")) and announcer != "kernel-l2"


def _relayed(world: World, _subject: str) -> bool:
    """Nodes pass on each other's host routes to an eBGP peer when the mesh is seen to be on (calico.md section 3)."""
    peers = world.network.seen("cluster", a.PEERS) or ()
    own = world.get("cluster", a.CLUSTER_AS)
    external = any(p.asn is not None and p.asn != own and not p.keep_next_hop for p in peers)
    return world.network.seen("cluster", a.MESH) is True and external


def _addresses(world: World, _subject: str) -> tuple[str, ...]:
    """The address that is asked for was given to the service."""
    return (world.network.flow.address,)


def _ports(world: World, _subject: str) -> tuple[a.ServicePort, ...]:
    """The port that is asked for is one of the service; else HTTP."""
    return (a.ServicePort(world.network.flow.port or 80),)


def _routed(world: World, _subject: str) -> bool:
    """A layer-2 address is for clients of its own segment, a BGP one is behind a router."""
    return not world.get("cluster", a.ANNOUNCER).endswith(("-l2", "-arp"))


# The value and the reason. Whatever else no evidence gives is derived by one of the functions above, or is nothing out
# of the ordinary: not configured, not wrong.
REASONED: dict[str, tuple[Any, str]] = {
    a.KUBERNETES_MINOR.name: (30, "the middle of the versions in use; behaviours turn at 24 to 26"),
    a.PROXY_MODE.name: ("iptables", "kube-proxy's default on Linux"),
    a.MESH.name: (True, "Calico's default (BGPConfiguration, nodeToNodeMeshEnabled)"),
    a.ENCAPSULATION.name: ("vxlan", "most CNIs' default, and harmless: a working pod network"),
    a.CLUSTER_AS.name: (64512, "Calico's default AS number"),
    a.PEER_ON_LINK.name: (True, "nodes and router mostly share a subnet"),
    a.NAT_OUTGOING.name: (True, "the default of Calico's operator and of most CNIs"),
    a.POOL_AUTO_ASSIGN.name: (True, "MetalLB's default"),
    a.L2_POOLS.name: (("*",), "an advertisement without a list selects every pool (MetalLB)"),
    a.BGP_POOLS.name: (("*",), "an advertisement without a list selects every pool (MetalLB)"),
    a.POLICY.name: ("Cluster", "the API's default"),
    a.OBEYS_REDIRECTS.name: (False, "macOS and hardened hosts do not; who does is seldom one who asks"),
    a.FORWARD_POLICY.name: ("accept", "the kernel's default"),
    a.INPUT_POLICY.name: ("accept", "the kernel's default"),
    a.REVERSE_PATH.name: (2, "systemd's default for new interfaces (50-default.conf)"),
    a.FORWARDING.name: (True, "kubeadm and most CNIs set it, and refuse to start without"),
    a.BE_LIBERAL.name: (False, "the kernel's default (nf_conntrack_tcp_be_liberal)"),
    a.MULTIPATH.name: (False, "one best path is the default of RouterOS, IOS and BIRD"),
    a.IMPORT_POLICY.name: ("accept", "a router that was told of a peer is mostly told to take its routes"),
    a.WHY_EMPTY.name: ("not-ready", "pods are unready more often than a selector is wrong"),
}

NOMINAL: dict[str, Nominal] = {
    **{name: value for name, (value, _) in REASONED.items()},
    a.STRICT_ARP.name: _strict_arp,
    a.ANNOUNCER.name: _announcer,
    a.CNI.name: "",
    a.LB_CIDRS.name: _lb_cidrs,
    a.RANGES_SEEN.name: (),
    a.FILTERS_UNSHOWN.name: False,
    a.EXPORT_FILTERS.name: (),
    a.PEERS.name: (),
    a.PEER_MULTIHOP.name: False,
    a.PEER_AS_DOUBT.name: "",
    a.PEER_AUTH_DOUBT.name: "",
    a.PROPAGATION_DOUBT.name: "",
    a.BGP_ADDRESS_DOUBT.name: "",
    a.SELECTION_DOUBT.name: "",
    a.NEXT_HOP_DOUBT.name: "",
    a.TABLE_DOUBT.name: "",
    a.ROUTER_NAT_DOUBT.name: "",
    a.NO_PEER_DOUBT.name: "",
    a.MTU_DOUBT.name: "",
    a.DEFAULT_DOUBT.name: "",
    a.MULTIHOMED_DOUBT.name: "",
    a.DIRECT_RETURN.name: False,
    a.BEHIND_REFLECTOR.name: False,
    a.NOBODY_ANNOUNCES.name: False,
    a.RELAYED.name: _relayed,
    a.NO_HOST_ROUTES.name: False,
    a.WRONG_TABLE.name: False,
    a.STATIC_WINS.name: False,
    a.REHASH.name: False,
    a.STATE_EXPIRES.name: False,
    a.CHECKSUM_BROKEN.name: False,
    a.REPLY_OTHER_ROUTER.name: False,
    a.SOURCE_UNTRANSLATED.name: False,
    a.DSR_DROPPED.name: False,
    a.FORWARD_MTU.name: False,
    a.POOLS.name: (),
    a.POOL_ADDRESSES.name: (),
    a.ADDRESSES.name: _addresses,
    a.PORTS.name: _ports,
    a.ENDPOINTS.name: _endpoints,
    a.CLUSTER_IP.name: "",
    a.NODE_PORTS.name: (),
    a.HEALTH_PORT.name: 0,
    a.SOURCE_RANGES.name: (),
    a.ADDRESS.name: "",
    a.LABELS.name: (),
    a.CONTROL_PLANE.name: False,
    a.SHARED_LAN.name: False,
    a.ROUTED.name: _routed,
    a.DATAPATH_DEVICES.name: False,
    a.RULES_MANAGED.name: False,
    a.TWO_BACKENDS.name: False,
    a.TARGET_PORT_UNDECLARED.name: False,
    a.POLICIES_IN_PLACE.name: "none",
    a.RANGES_IN_RULES.name: False,
    a.HOST_POLICIES.name: False,
    a.NICS.name: (),
    a.MACS.name: (),
    a.PLATFORM.name: "",
    a.LOOPBACK_ADDRESS.name: False,
    a.UPLINK.name: "",
    a.POOL_OFFLINK.name: False,
    a.ALLOCATION_FAULT.name: "",
    a.ALLOCATION_WHY.name: "",
    a.ALLOCATION_CLEARED.name: (),
    a.ALLOCATOR_MISSING.name: False,
    a.UNUSABLE_ADDRESS.name: False,
    a.POOL_SHARED.name: "",
    a.EARLIER_ADDRESSES.name: (),
    a.OVERWRITTEN.name: False,
    a.ADDRESS_FLIPS.name: False,
    a.HELD_BY_TURNS.name: False,
    a.ADDRESS_TAKEN.name: "",
    a.AGENT_NODES.name: (),
    a.LEASE_HOLDER.name: "",
    a.NO_AGENT_RUNS.name: "",
    a.AGENT_DOWN.name: _agent_down,
    a.AGENT_NOT_READY.name: False,
    a.SESSION_FAULT.name: "",
    a.SESSION_WAY.name: "",
    a.NOT_SELECTED.name: False,
    a.EXCLUDED.name: False,
    a.ENDPOINTS_UNCOUNTED.name: False,
    a.EXTRA_EXPORT_FILTER.name: False,
    a.BAD_NEXT_HOP.name: False,
    a.EXTRA_RESPONDER.name: False,
    a.ARP_LOST.name: False,
    a.ARP_SILENT.name: False,
    a.L2_WRONG_INTERFACE.name: False,
    a.ANTISPOOF.name: False,
    a.CLEARING_HELPS.name: False,
    a.SPLIT_MEMBERS.name: False,
    a.STALE_NEIGHBOUR.name: False,
    a.NO_ADVERTISEMENT.name: False,
    a.ATTRACTS_WITHOUT_ENDPOINT.name: False,
    a.NOT_INSTALLED.name: False,
    a.ROUTER_FIREWALL.name: False,
    a.DROPS_INVALID.name: False,
    a.STATIC_ROUTES.name: (),
    a.PREFERRED.name: "",
    a.OTHER_ROUTER.name: False,
    a.ROUTER_NAT.name: "",
    a.HOST_FIREWALL.name: "",
    a.HOST_FIREWALL_SPARES.name: False,
    a.INPUT_FIREWALL.name: "",
    a.FORWARD_DROP.name: False,
    a.FORWARD_SPARES.name: False,
    a.HOST_POLICY_SPARES.name: False,
    a.FORWARDING_OFF.name: False,
    a.RP_FILTER_DROP.name: False,
    a.NODE_DROPS_INVALID.name: False,
    a.DATAPATH_BROKEN.name: False,
    a.PROXY_DOWN.name: False,
    a.NOT_PROGRAMMED.name: False,
    a.STALE_CONNTRACK.name: False,
    a.LOCAL_BROKEN.name: False,
    a.MARTIAN.name: False,
    a.TABLE_FULL.name: False,
    a.HOST_ENDPOINT_DROP.name: False,
    a.MIXED_BACKENDS.name: False,
    a.HAIRPIN.name: False,
    a.POD_ROUTE_BROKEN.name: False,
    a.TUNNEL_BLOCKED.name: False,
    a.POLICY_DROP.name: False,
    a.RANGES_DENY.name: False,
    a.NOT_LISTENING.name: False,
    a.WRONG_TARGET_PORT.name: False,
    a.WRONG_POD_NETWORK.name: False,
    a.PROXY_PROTOCOL.name: False,
    a.APP_ERROR.name: False,
    a.NO_ROUTE_BACK.name: False,
    a.REPLY_WRONG_INTERFACE.name: False,
    a.REPLY_ANTISPOOF.name: False,
    a.MTU_BLACKHOLE.name: False,
    a.CLIENT_PROXY.name: False,
    a.CLIENT_ROUTE_WRONG.name: False,
    a.CLIENT_ONLINK.name: False,
    a.NAME_ELSEWHERE.name: False,
    a.TELLS.name: (),
    a.MISREAD.name: "",
}
