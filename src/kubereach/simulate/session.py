"""What both ends of a BGP session print for each reason that keeps it down (measured: BIRD 2.0.12 and FRR 8.4.4).

The words are classes of last errors; probes.bgp_session maps printed text to them. A session of Calico's mesh is one
between two nodes: what lies in a node (its address, its port 179, its firewall) shows there too, what lies in the
router does not.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubereach.model.attribute import AGENT_DOWN, NOBODY_ANNOUNCES, SESSION_FAULT
from kubereach.simulate.world import World

Shown = Mapping[str, float]

# reason -> what the node's speaker shows, what the router shows
SESSION_FAULTS: dict[str, tuple[Shown, Shown]] = {
    "blocked": (
        {"connecting": 0.4, "refused": 0.2, "reset": 0.12, "no-route": 0.12, "active": 0.13, "deconfigured": 0.03},
        {"connecting": 0.39, "active": 0.3, "absent": 0.29, "no-path": 0.02},
    ),
    "wrong-source": (
        {"reset": 0.25, "connecting": 0.3, "rejected": 0.1, "closed": 0.15, "no-route": 0.1, "active": 0.1},
        {"active": 0.4, "connecting": 0.3, "absent": 0.3},
    ),
    "rejected": (
        {"bad-peer-as": 0.4, "rejected": 0.2, "shutdown": 0.15, "closed": 0.1, "active": 0.05, "idle": 0.1},
        {"active": 0.25, "idle": 0.25, "shutdown": 0.25, "bad-peer-as": 0.2, "absent": 0.05},
    ),
    "auth": (
        {"connecting": 0.6, "auth": 0.25, "active": 0.15},
        {"connecting": 0.45, "active": 0.35, "auth": 0.2},
    ),
    "multihop": (
        {"idle": 0.3, "active": 0.2, "connecting": 0.25, "no-route": 0.15, "no-path": 0.1},
        {"active": 0.25, "idle": 0.25, "connecting": 0.1, "no-path": 0.4},
    ),
    "two-speakers": (
        {"no-listening-socket": 0.45, "rejected": 0.2, "closed": 0.15, "active": 0.2},
        {"established": 0.3, "rejected": 0.15, "active": 0.3, "connecting": 0.25},
    ),
    "stale": (
        {"graceful-restart": 0.25, "established": 0.45, "connecting": 0.2, "hold-timer": 0.1},
        {"established": 0.45, "connecting": 0.2, "graceful-restart": 0.15, "idle": 0.1, "active": 0.1},
    ),
    "flapping": (
        {"flaps": 0.3, "hold-timer": 0.25, "bfd": 0.15, "neighbor-lost": 0.05, "established": 0.15, "connecting": 0.1},
        {"flaps": 0.3, "hold-timer": 0.15, "bfd": 0.1, "established": 0.2, "active": 0.15, "connecting": 0.1},
    ),
}
UP: tuple[Shown, Shown] = ({"established": 1.0}, {"established": 1.0})
AGENT_GONE: tuple[Shown, Shown] = (
    {"not-running": 1.0},
    {"active": 0.4, "connecting": 0.35, "idle": 0.05, "shutdown": 0.2},  # one that was stopped says so before
)
# The router has no such neighbour; whether the node was told of the router is open.
NO_PEER: tuple[Shown, Shown] = (
    {"reset": 0.38, "connecting": 0.2, "refused": 0.15, "active": 0.13, "not-running": 0.1, "deconfigured": 0.04},
    {"absent": 0.95, "active": 0.05},
)
# How often the reason also takes the node's mesh sessions down; the rest of them stay up.
MESH_SHARE: Mapping[str, float] = {
    "blocked": 0.35,
    "wrong-source": 0.7,
    "rejected": 0.05,
    "auth": 0.1,
    "two-speakers": 0.45,  # the daemon that was first keeps its sessions
    "stale": 0.4,
    "flapping": 0.3,
}
# A peer that is a node shows less: its own daemon runs and knows no error.
FAR_END: Shown = {"connecting": 0.55, "active": 0.25, "no-route": 0.1, "refused": 0.05, "reset": 0.05}


def shown(world: World, node: str, *, at_router: bool) -> Shown:
    """What one end shows of the session between `node` and the router."""
    if world.get(node, AGENT_DOWN):
        return AGENT_GONE[at_router]
    reason = world.get(node, SESSION_FAULT)
    if world.get("router", NOBODY_ANNOUNCES) and not reason:
        return NO_PEER[at_router]
    return (SESSION_FAULTS[reason] if reason else UP)[at_router]


def shown_of_mesh(world: World, node: str, peer: str) -> Shown:
    """What `node` shows of its mesh session with the node `peer`."""
    if world.get(node, AGENT_DOWN):
        return AGENT_GONE[0]
    if world.get(peer, AGENT_DOWN):
        return FAR_END
    near, far = world.get(node, SESSION_FAULT), world.get(peer, SESSION_FAULT)
    share = MESH_SHARE.get(near, 0.0) if near else 0.0
    distant = MESH_SHARE.get(far, 0.0) if far and not near else 0.0
    words: dict[str, float] = {"established": max(1 - share - distant, 0.0)}
    for weight, table in ((share, SESSION_FAULTS[near][0] if near else UP[0]), (distant, FAR_END)):
        for word, p in table.items():
            words[word] = words.get(word, 0.0) + weight * p
    return words
