"""Calico's BIRD announces service addresses over BGP (calico.md section 3; confd templates and routes.go at v3.26.1).

Every node announces the configured CIDRs as aggregates, whatever the endpoints. Under policy Local the nodes with a
ready endpoint announce the host route too. An entry that is itself a host route is announced per service. The label
that excludes a node counts for Calico only with the value "true". With the mesh on, a node re-exports the host routes
it learned, with itself as next hop.
"""

from __future__ import annotations

from kubereach.model.address import contains, host_prefix, prefix_length
from kubereach.model.attribute import (
    AGENT_DOWN,
    ENDPOINTS_UNCOUNTED,
    EXPORT_FILTERS,
    EXTRA_EXPORT_FILTER,
    LB_CIDRS,
    NO_HOST_ROUTES,
    NOT_SELECTED,
    POLICY,
    RELAYED,
    FilterRule,
)
from kubereach.simulate.announced import Announced, Announcement, excluded, given, has_local, ready_endpoints
from kubereach.simulate.world import World


def announce(world: World, service: str, address: str) -> Announced:
    """Aggregates from every participating node, host routes from the nodes that the policy admits."""
    # An address that no evidence shows is taken for one of those that the cluster announces.
    cidrs = [c for c in world.get("cluster", LB_CIDRS) if not address or contains(c, address)]
    routes: list[Announcement] = []
    silent: list[tuple[str, str]] = []
    for node in world.network.nodes:
        if reason := _silence(world, service, node, cidrs):
            silent.append((node, reason))
            continue
        routes += [Announcement(node, c, "aggregate") for c in cidrs if c != host_prefix(address)]
        if _announces_host_route(world, service, address, node, cidrs):
            routes.append(Announcement(node, host_prefix(address), "endpoint"))
    exported = [r for r in routes if _exported(world, r.prefix)]
    return Announced(routes=tuple(exported + _relayed(world, exported, silent)), silent=tuple(silent))


def _silence(world: World, service: str, node: str, cidrs: list[str]) -> str:
    if world.get(node, AGENT_DOWN):
        return "its calico-node is down"
    if excluded(world, node, value="true"):
        return "it is excluded from announcing service addresses"
    selected = cidrs and not world.get(service, NOT_SELECTED)
    return "" if selected else "the address lies outside serviceLoadBalancerIPs"


def _announces_host_route(world: World, service: str, address: str, node: str, cidrs: list[str]) -> bool:
    if not given(world, service) or world.get("cluster", NO_HOST_ROUTES):
        return False
    if world.get(service, POLICY) == "Local":
        return has_local(world, service, node) and not world.get(service, ENDPOINTS_UNCOUNTED)
    return host_prefix(address) in cidrs and bool(ready_endpoints(world, service))


def _exported(world: World, prefix: str) -> bool:
    host_route = not prefix or prefix_length(prefix) in {32, 128}
    if host_route and world.get("cluster", EXTRA_EXPORT_FILTER):
        return False
    return passes(world.get("cluster", EXPORT_FILTERS), prefix)


def passes(rules: tuple[FilterRule, ...], prefix: str) -> bool:
    """Whether a service route leaves through BGPFilter rules: the first match decides, no match falls through to

    Calico's own filter, which accepts service routes (calico.md section 6).
    """
    for rule in rules:
        if rule.source in {"", "Any"} and _matches(rule, prefix):
            return rule.action == "Accept"
    return True


def _matches(rule: FilterRule, prefix: str) -> bool:
    if not rule.operator:
        return True
    inside = contains(rule.cidr, prefix)
    if rule.minimum is not None or rule.maximum is not None:
        low = rule.minimum if rule.minimum is not None else prefix_length(rule.cidr)
        inside = inside and low <= prefix_length(prefix) <= (rule.maximum if rule.maximum is not None else 128)
    return {
        "Equal": rule.cidr == prefix,
        "NotEqual": rule.cidr != prefix,
        "In": inside,
        "NotIn": not inside,
    }.get(rule.operator, False)


def _relayed(world: World, routes: list[Announcement], silent: list[tuple[str, str]]) -> list[Announcement]:
    """Host routes that other nodes learned over the mesh and pass on (calico.md section 3, the trap)."""
    if not world.get("cluster", RELAYED):
        return []
    quiet = {node for node, _ in silent}
    originals = {r.prefix: r.node for r in routes if r.why == "endpoint"}
    own = {(r.node, r.prefix) for r in routes}
    return [
        Announcement(node, prefix, f"learned over the mesh from {origin.removeprefix('node/')}", relayed=True)
        for prefix, origin in originals.items()
        for node in world.network.nodes
        if node not in quiet and (node, prefix) not in own
    ]
