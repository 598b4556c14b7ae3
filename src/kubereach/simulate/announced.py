"""What announcers say: which node attracts which prefix, and which stays silent and why."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import cast

from msgspec import Struct

from kubereach.model.address import host_prefix
from kubereach.model.attribute import (
    AGENT_DOWN,
    AGENT_NODES,
    ALLOCATION_FAULT,
    ANNOUNCER,
    ENDPOINTS,
    ENDPOINTS_UNCOUNTED,
    EXCLUDED,
    LABELS,
    LEASE_HOLDER,
    NOT_SELECTED,
    OVERWRITTEN,
    POLICY,
    Endpoint,
)
from kubereach.simulate.world import World

OWNERS_BY_KERNEL = frozenset({"kube-vip-arp", "keepalived-arp", "klipper"})  # the address is configured on the leader
EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"


class Announcement(Struct, frozen=True):
    """`node` attracts `prefix`, over BGP or by answering ARP. `relayed` when it passes on another node's route."""

    node: str
    prefix: str
    why: str
    relayed: bool = False


class Announced(Struct, frozen=True):
    """All that one service's address leads to. `layer2` holds the nodes that answer ARP or NDP."""

    routes: tuple[Announcement, ...] = ()
    layer2: tuple[str, ...] = ()
    silent: tuple[tuple[str, str], ...] = ()  # (node, why)


def announced(world: World, service: str, address: str) -> Announced:
    """Ask the announcer of this world about one address of one service. Cached per world."""
    name = ("announced", service, address)
    if (found := world.cached(name)) is not None:
        return found  # type: ignore[return-value]  # stored below
    before = world.start()
    result = _announcer(world.get("cluster", ANNOUNCER))(world, service, address)
    world.keep(name, result, before)
    return result


@cache
def _announcer(name: str) -> Callable[[World, str, str], Announced]:
    module = import_module(f"kubereach.simulate.announcers.{name.replace('-', '_')}")
    return cast("Callable[[World, str, str], Announced]", module.announce)


def ready_endpoints(world: World, service: str) -> tuple[Endpoint, ...]:
    """The ready endpoints of a service."""
    return tuple(e for e in world.get(service, ENDPOINTS) if e.ready)


def has_local(world: World, service: str, node: str) -> bool:
    """Whether `node` runs a ready endpoint. An endpoint without a known node may be anywhere but is counted nowhere."""
    return any(e.node == node for e in ready_endpoints(world, service))


def excluded(world: World, node: str, *, value: str | None = None) -> bool:
    """Whether the exclusion label keeps `node` silent; `value` is the one that counts, None for its mere presence."""
    if world.get(node, EXCLUDED):
        return True
    labels = dict(world.get("cluster", LABELS) + world.get(node, LABELS))
    return EXCLUDE_LABEL in labels and (value is None or labels[EXCLUDE_LABEL] == value)


def candidates(
    world: World, service: str, *, label: bool = False, endpoints_count: bool = True, ready: bool = True
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The nodes whose agent would announce, and the silent ones with the reason.

    `label` says that the announcer heeds the exclusion label, `endpoints_count` that it looks for local endpoints
    under policy Local, `ready` that it announces nothing without a ready endpoint anywhere.
    """
    speaking, silent = [], []
    for node in world.network.nodes:
        if reason := _silence(world, service, node, label=label, endpoints_count=endpoints_count, ready=ready):
            silent.append((node, reason))
        else:
            speaking.append(node)
    return tuple(speaking), tuple(silent)


def _silence(world: World, service: str, node: str, *, label: bool, endpoints_count: bool, ready: bool) -> str:
    if world.get(node, AGENT_DOWN):
        return "its announcing agent is down"
    runs = world.get("cluster", AGENT_NODES)
    if runs and node not in runs:
        return "no announcing agent runs on it"
    if world.get(service, NOT_SELECTED):
        return "the service is not selected for announcement"
    if world.get(service, OVERWRITTEN):
        return "the service's status holds other addresses"
    if label and excluded(world, node):
        return f"it carries the label {EXCLUDE_LABEL}"
    if ready and not ready_endpoints(world, service):
        return "the service has no ready endpoint"
    if endpoints_count and world.get(service, POLICY) == "Local":
        if not has_local(world, service, node):
            return "it has no ready endpoint and the policy is Local"
        if world.get(service, ENDPOINTS_UNCOUNTED):
            return "its endpoint does not count as ready and local"
    return ""


def open_leader(world: World, service: str) -> tuple[str, ...]:
    """The nodes of which one answers for the address, where its announcer's choice cannot be known; () otherwise."""
    announcer = world.get("cluster", ANNOUNCER)
    if announcer not in {"other-l2", "keepalived-arp"} or world.known(service, LEASE_HOLDER):
        return ()
    blind = announcer == "keepalived-arp"
    speaking, _ = candidates(world, service, endpoints_count=not blind, ready=not blind)
    return speaking if len(speaking) > 1 else ()


def given(world: World, service: str) -> bool:
    """Whether the service has the address at all."""
    return not world.get(service, ALLOCATION_FAULT)


def host_routes(world: World, service: str, address: str) -> Announced:
    """The host route from every node that the policy admits: what plain BGP announcers do."""
    speaking, silent = candidates(world, service)
    if not given(world, service):
        speaking = ()
    return Announced(tuple(Announcement(n, host_prefix(address), "endpoint") for n in speaking), silent=silent)
