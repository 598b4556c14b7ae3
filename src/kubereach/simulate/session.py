"""What both ends of a BGP session print for each reason that keeps it down (measured: BIRD 2.0.12 and FRR 8.4.4).

The words are classes of last errors; probes.bgp_session maps printed text to them.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubereach.model.attribute import AGENT_DOWN, SESSION_FAULT
from kubereach.simulate.world import World

Shown = Mapping[str, float]

# reason -> what the node's speaker shows, what the router shows
SESSION_FAULTS: dict[str, tuple[Shown, Shown]] = {
    "blocked": (
        {"connecting": 0.4, "refused": 0.2, "reset": 0.15, "no-route": 0.1, "active": 0.15},
        {"connecting": 0.4, "active": 0.3, "absent": 0.3},
    ),
    "wrong-source": (
        {"reset": 0.3, "connecting": 0.25, "rejected": 0.15, "closed": 0.1, "no-route": 0.1, "active": 0.1},
        {"active": 0.4, "connecting": 0.3, "absent": 0.3},
    ),
    "rejected": (
        {"bad-peer-as": 0.5, "rejected": 0.2, "shutdown": 0.15, "closed": 0.15},
        {"active": 0.35, "idle": 0.25, "shutdown": 0.3, "absent": 0.1},
    ),
    "auth": ({"connecting": 0.85, "auth": 0.15}, {"connecting": 0.6, "active": 0.35, "auth": 0.05}),
    "multihop": ({"idle": 0.4, "connecting": 0.4, "no-route": 0.2}, {"active": 0.4, "idle": 0.4, "connecting": 0.2}),
    "two-speakers": (
        {"no-listening-socket": 0.45, "rejected": 0.2, "closed": 0.15, "active": 0.2},
        {"established": 0.4, "active": 0.3, "connecting": 0.3},
    ),
    "stale": (
        {"graceful-restart": 0.3, "established": 0.3, "connecting": 0.4},
        {"established": 0.6, "connecting": 0.4},
    ),
    "flapping": (
        {"hold-timer": 0.3, "bfd": 0.2, "neighbor-lost": 0.1, "established": 0.2, "connecting": 0.2},
        {"established": 0.4, "active": 0.3, "connecting": 0.3},
    ),
}
UP: tuple[Shown, Shown] = ({"established": 1.0}, {"established": 1.0})
AGENT_GONE: tuple[Shown, Shown] = ({"not-running": 1.0}, {"active": 0.5, "connecting": 0.45, "idle": 0.05})


def shown(world: World, node: str, *, at_router: bool) -> Shown:
    """What one end shows of the session between `node` and the router."""
    if world.get(node, AGENT_DOWN):
        return AGENT_GONE[at_router]
    reason = world.get(node, SESSION_FAULT)
    return (SESSION_FAULTS[reason] if reason else UP)[at_router]
