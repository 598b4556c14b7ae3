"""A node without a ready endpoint announces the address and attracts the traffic.

What happens   Under policy Local only nodes with a ready endpoint can deliver. An aggregate, a stale lease or a route
               that another node relays brings the traffic to a node that cannot.
How it looks   The redirect, traceroute or router names a node without the pod; ping answers there, the service hangs.
Confirm        the router's next hop for the address, against the nodes with a ready endpoint
Fix            bring the host route of the endpoint's node to the router (it wins by length), or keep the others silent
Not to be confused with  no-local-endpoint-policy (what that node then does)
References     Calico confd routes.go (aggregates are unconditional); Kubernetes externalTrafficPolicy
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect, entry_nodes
from kubereach.model.address import host_prefix
from kubereach.model.attribute import (
    ANNOUNCER,
    ATTRACTS_WITHOUT_ENDPOINT,
    ENDPOINTS,
    EXCLUDED,
    LB_CIDRS,
    LEASE_HOLDER,
    POLICY,
    Endpoint,
)
from kubereach.model.diagnosis import Owner
from kubereach.simulate.announced import EXCLUDE_LABEL, announced, has_local
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="attracts-without-endpoint",
    class_="ann-from-node-without-endpoint",
    layer="announcement",
    owner=Owner.CLUSTER,
    prior=Chance(0.02, "estimate, where configuration does not show it"),
    summary="{name} announces the address although it has no ready endpoint",
    by_design=True,
)


def suspects(world: World) -> Iterable[Suspect]:
    flow = world.network.flow
    if world.get(flow.service, POLICY) != "Local" or not (
        world.known(flow.service, ENDPOINTS) or world.known("cluster", LB_CIDRS)
    ):
        return
    said = announced(world, flow.service, flow.address)
    attracting = {r.node: r.prefix for r in said.routes}
    for node, prefix in attracting.items():
        if not has_local(world, flow.service, node):
            kind = "the aggregate" if prefix != host_prefix(flow.address) else "a host route"
            because = tuple(
                (origin, f"configuration makes every node announce {prefix} ({kind})")
                for origin in world.network.origins("cluster", LB_CIDRS)[:1]
            )
            yield Suspect(fault=FAULT, subject=node, presence=Presence.PRESENT, because=because)
    yield from _holders(world, said.layer2)


# Cilium's lease does not look at endpoints, kube-vip's leader only with an election per service (others.md 1 and 2).
BLIND = {
    "cilium-l2": Chance(0.2, "its lease does not look at endpoints"),
    "kube-vip-arp": Chance(0.1, "its leader looks at endpoints only with an election per service"),
    "keepalived-arp": Chance(0.2, "keepalived knows nothing of services"),
}


def _holders(world: World, layer2: tuple[str, ...]) -> Iterable[Suspect]:
    """Who answers ARP without an endpoint: the known holder, or any node where the election does not look at them."""
    service = world.network.flow.service
    prior = BLIND.get(world.get("cluster", ANNOUNCER))
    holder = world.network.seen(service, LEASE_HOLDER)
    if prior is None:
        return
    if holder in layer2 and holder is not None and not has_local(world, service, holder):
        where = world.network.origins(service, LEASE_HOLDER)[:1]
        because = tuple(
            (o, f"{holder.removeprefix('node/')} holds the address and has no ready endpoint") for o in where
        )
        yield Suspect(fault=FAULT, subject=holder, presence=Presence.PRESENT, because=because)
    elif holder in layer2 and holder is not None and world.network.seen(service, ENDPOINTS) is None:
        yield Suspect(fault=FAULT, subject=holder, prior=prior)
    elif holder is None:
        without = [n for n in world.network.nodes if not has_local(world, service, n)]
        yield from (Suspect(fault=FAULT, subject=n, prior=prior) for n in without[:1])


def concerns(world: World, suspect: Suspect) -> bool:
    """Only a flow that enters there is concerned."""
    return suspect.subject in entry_nodes(world)


def apply(world: World, suspect: Suspect) -> Changes:
    service = world.network.flow.service
    changes: dict[tuple[str, str], object] = {
        EXCLUDED.of(suspect.subject): False,
        ATTRACTS_WITHOUT_ENDPOINT.of(suspect.subject): True,
    }
    other = next((n for n in world.network.nodes if n != suspect.subject), "")
    if not world.known(service, ENDPOINTS) and has_local(world, service, suspect.subject) and other:
        changes[ENDPOINTS.of(service)] = (Endpoint("", other),)
    return changes


def remove(world: World, suspect: Suspect) -> Changes:
    changes: dict[tuple[str, str], object] = {
        EXCLUDED.of(suspect.subject): True,
        ATTRACTS_WITHOUT_ENDPOINT.of(suspect.subject): False,
    }
    if world.get(world.network.flow.service, LEASE_HOLDER) == suspect.subject:
        changes[LEASE_HOLDER.of(world.network.flow.service)] = ""
    return changes


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"keep {suspect.name} from announcing service addresses",
        commands=(f"kubectl label node {suspect.name} {EXCLUDE_LABEL}=true --overwrite",),
        side_effects=(
            "MetalLB and cloud controllers skip the node too",
            "done alone while the endpoint's node does not reach the router, it takes away the only route",
        ),
    )
