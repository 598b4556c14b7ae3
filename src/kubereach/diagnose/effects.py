"""What is certain though its cause is not: consequences that several hypotheses share."""

from __future__ import annotations

from collections.abc import Mapping

from kubereach.diagnose.roles import Judged
from kubereach.model.address import host_prefix
from kubereach.model.attribute import POLICY, ROUTED
from kubereach.model.diagnosis import Effect, Role
from kubereach.simulate.announced import has_local
from kubereach.simulate.arp import responders
from kubereach.simulate.bgp import received, session_up
from kubereach.simulate.world import World

LIKELY = 0.5


def consequences(world: World) -> frozenset[str]:
    """The statements about routes, sessions and neighbours that hold in a world and are not as meant."""
    flow = world.network.flow
    said: set[str] = set()
    if not world.get("client", ROUTED):
        if not responders(world, flow.service, flow.address):
            said.add(f"nobody answers ARP or NDP for {flow.address}")
        return frozenset(said)
    routes = received(world, flow.service, flow.address)
    host = host_prefix(flow.address)
    if not routes:
        said.add(f"no route for {flow.address} reaches the router")
    for node in world.network.nodes:
        local = world.get(flow.service, POLICY) == "Local" and has_local(world, flow.service, node)
        name = node.removeprefix("node/")
        if local and not any(r.node == node and r.prefix == host for r in routes):
            said.add(f"{host} from {name}, which runs the pod, does not reach the router")
        if not session_up(world, node):
            said.add(f"no BGP session between {name} and the router")
    return frozenset(said)


def effects(judged: Judged) -> tuple[Effect, ...]:
    """Statements with their probability and the root codes that split it, the surest first."""
    weights: dict[str, float] = {}
    causes: dict[str, dict[str, float]] = {}
    for hypothesis, found in judged:
        blamed = [s.fault.code for s, role in found.items() if role is Role.ROOT]
        for says in consequences(hypothesis.world):
            weights[says] = weights.get(says, 0.0) + hypothesis.weight
            for code in blamed:
                share = causes.setdefault(says, {})
                share[code] = share.get(code, 0.0) + hypothesis.weight
    likely = sorted((s for s, w in weights.items() if w >= LIKELY), key=lambda s: (-round(weights[s], 6), s))
    return tuple(
        Effect(says=s, probability=round(min(weights[s], 1.0), 4), causes=_ordered(causes.get(s, {}))) for s in likely
    )


def _ordered(shares: Mapping[str, float]) -> tuple[str, ...]:
    kept = [code for code, weight in shares.items() if weight >= 0.02 * max(shares.values())]
    return tuple(sorted(kept, key=lambda code: (-shares[code], code)))
