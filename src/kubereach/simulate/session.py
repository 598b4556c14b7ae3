"""What both ends of a BGP session print for each reason that keeps it down (measured: BIRD 2.0.12 and FRR 8.4.4).

The words are classes of last errors; probes.bgp_session maps printed text to them. A reason works in one of several
ways, and one way shows alike on every node and on both ends: which it is, is a hidden variable that rank sums over
(SESSION_WAY). A session of Calico's mesh is one between two nodes: what lies in a node (its address, its port 179, its
firewall) shows there too, what lies in the router does not.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from kubereach.model.attribute import AGENT_DOWN, ANNOUNCER, NOBODY_ANNOUNCES, PEER_AS_DOUBT, SESSION_FAULT, SESSION_WAY
from kubereach.simulate.world import Changes, World

Shown = Mapping[str, float]


class Way(Struct, frozen=True):
    """One way in which a reason works: its share, and what the node's speaker and the router show.

    `carries`: at this moment the session is up.
    """

    share: float
    node: Shown
    router: Shown
    carries: bool = False


# Segments with a wrong signature, or none, are dropped in silence, whichever end asks for one (RFC 2385 section 2.0).
_UNSIGNED: tuple[Shown, Shown] = (
    {"connecting": 0.58, "active": 0.2, "auth": 0.16, "idle": 0.06},
    {"connecting": 0.43, "active": 0.37, "auth": 0.15, "idle": 0.05},
)
SESSION_FAULTS: dict[str, dict[str, Way]] = {
    "blocked": {
        "dropped": Way(
            0.42,
            {"connecting": 0.6, "active": 0.28, "idle": 0.05, "no-route": 0.05, "closed": 0.02},
            {"connecting": 0.48, "active": 0.43, "idle": 0.05, "absent": 0.02, "no-path": 0.02},
        ),
        "refused": Way(
            0.22,
            {"refused": 0.55, "no-route": 0.25, "active": 0.12, "idle": 0.05, "connecting": 0.03},
            {"active": 0.5, "connecting": 0.42, "idle": 0.08},
        ),
        # A router that has no entry for the address takes the connection and closes it, or does not listen at all.
        "no-neighbour": Way(
            0.36,
            {"reset": 0.42, "closed": 0.22, "refused": 0.08, "active": 0.16, "connecting": 0.07, "deconfigured": 0.05},
            {"absent": 0.97, "active": 0.03},
        ),
    },
    "wrong-source": {
        "other-address": Way(
            0.6,
            {"reset": 0.32, "closed": 0.26, "connecting": 0.3, "rejected": 0.05, "active": 0.07},
            {"active": 0.55, "connecting": 0.35, "idle": 0.1},
        ),
        "unreachable": Way(
            0.2,
            {"connecting": 0.6, "no-route": 0.25, "active": 0.15},
            {"active": 0.5, "connecting": 0.45, "idle": 0.05},
        ),
        "unlisted": Way(
            0.2,
            {"reset": 0.4, "closed": 0.25, "connecting": 0.15, "rejected": 0.1, "active": 0.1},
            {"absent": 0.95, "active": 0.05},
        ),
    },
    "rejected": {
        "as-number": Way(
            0.55,
            {"bad-peer-as": 0.5, "idle": 0.18, "active": 0.14, "rejected": 0.1, "closed": 0.04, "connecting": 0.04},
            {"active": 0.4, "idle": 0.25, "bad-peer-as": 0.31, "connecting": 0.04},
        ),
        # A neighbour that is shut down takes no connection, says so in a NOTIFICATION, or closes without a word.
        "shut-down": Way(
            0.33,
            {"shutdown": 0.32, "closed": 0.27, "rejected": 0.12, "active": 0.12, "idle": 0.1, "refused": 0.07},
            {"shutdown": 0.92, "idle": 0.08},
        ),
        "otherwise": Way(
            0.12,
            {"rejected": 0.7, "closed": 0.12, "active": 0.1, "idle": 0.08},
            {"active": 0.4, "idle": 0.3, "rejected": 0.25, "absent": 0.05},
        ),
    },
    "auth": {
        # The router has a password that the node lacks, or another one; or the node has one that the router lacks.
        "router-asks": Way(0.6, *_UNSIGNED),
        "node-asks": Way(0.4, *_UNSIGNED),
    },
    "multihop": {
        # The speaker sees that the peer is on no link of its own, and does not try.
        "untried": Way(
            0.5,
            {"idle": 0.45, "active": 0.3, "no-path": 0.15, "connecting": 0.1},
            {"active": 0.37, "idle": 0.3, "connecting": 0.13, "no-path": 0.2},
        ),
        "ttl": Way(
            0.5,
            {"connecting": 0.5, "active": 0.33, "no-route": 0.12, "idle": 0.05},
            {"active": 0.3, "connecting": 0.3, "idle": 0.15, "no-path": 0.25},
        ),
    },
    "two-speakers": {
        "port-taken": Way(
            0.5,
            {"no-listening-socket": 0.75, "active": 0.15, "idle": 0.05, "connecting": 0.05},
            {"active": 0.5, "connecting": 0.4, "idle": 0.1},
        ),
        "duplicate": Way(
            0.5,
            {"rejected": 0.42, "closed": 0.23, "active": 0.2, "reset": 0.1, "idle": 0.05},
            {"established": 0.75, "rejected": 0.1, "active": 0.1, "connecting": 0.05},
        ),
    },
    "stale": {
        # The router's other half took over, or it was restarted: the node waits for its hold timer.
        "forgotten": Way(
            0.6,
            {"established": 0.92, "hold-timer": 0.05, "graceful-restart": 0.03},
            {"connecting": 0.43, "active": 0.43, "idle": 0.1, "graceful-restart": 0.04},
        ),
        "restarting": Way(
            0.4,
            {"graceful-restart": 0.45, "connecting": 0.3, "hold-timer": 0.2, "active": 0.05},
            {"graceful-restart": 0.3, "active": 0.3, "connecting": 0.25, "idle": 0.15},
        ),
    },
    "flapping": {
        "up": Way(0.65, {"established": 0.97, "connecting": 0.03}, {"established": 0.97, "active": 0.03}, carries=True),
        "down": Way(
            0.35,
            {"hold-timer": 0.4, "bfd": 0.2, "neighbor-lost": 0.08, "connecting": 0.17, "active": 0.15},
            {"hold-timer": 0.22, "bfd": 0.15, "active": 0.33, "connecting": 0.2, "idle": 0.1},
        ),
    },
}
# The share of the as-number way where the AS numbers of both sides are seen to agree.
AGREED = 0.03
UP: tuple[Shown, Shown] = ({"established": 1.0}, {"established": 1.0})
AGENT_GONE: tuple[Shown, Shown] = (
    {"not-running": 0.9, "idle": 0.05, "active": 0.05},  # one that crashes runs now and then
    {"active": 0.4, "connecting": 0.35, "idle": 0.05, "shutdown": 0.2},  # one that was stopped says so before
)
# The router has no such neighbour; whether the node was told of the router is open.
NO_PEER: tuple[Shown, Shown] = (
    {"reset": 0.38, "connecting": 0.2, "refused": 0.15, "active": 0.13, "not-running": 0.1, "deconfigured": 0.04},
    {"absent": 0.95, "active": 0.05},
)
SPEAKS_GOBGP = frozenset({"cilium-bgp", "kube-router", "kube-vip-bgp"})
GOBGP_WAITS: Shown = {"active": 0.5, "idle": 0.4, "connecting": 0.1}
# How often the reason also takes the node's mesh sessions down; the rest of them stay up.
MESH_SHARE: Mapping[str, float] = {
    "blocked": 0.35,
    "wrong-source": 0.5,  # a VPN or second network that all nodes have carries the mesh
    "rejected": 0.05,
    "auth": 0.1,
    "two-speakers": 0.45,  # the daemon that was first keeps its sessions
    "stale": 0.4,
    "flapping": 0.3,
}
# An address that only its own node can use leads nowhere from another one.
ASTRAY: Shown = {"no-route": 0.4, "connecting": 0.4, "active": 0.12, "refused": 0.08}
# A peer that is a node shows less: its own daemon runs and knows no error.
FAR_END: Shown = {"connecting": 0.55, "active": 0.25, "no-route": 0.1, "refused": 0.05, "reset": 0.05}


def session_ways(world: World) -> tuple[tuple[Changes, float], ...]:
    """The ways in which this world's session fault can work, with their shares; () without a fault that has several."""
    reason = next((r for node in world.network.nodes if (r := world.get(node, SESSION_FAULT))), "")
    known = SESSION_FAULTS.get(reason, {})
    if len(known) < 2:
        return ()
    agreed = reason == "rejected" and world.network.seen("router", PEER_AS_DOUBT) == ""
    shares = {name: AGREED if agreed and name == "as-number" else way.share for name, way in known.items()}
    total = sum(shares.values())
    return tuple(({SESSION_WAY.of("cluster"): f"{reason}:{name}"}, p / total) for name, p in shares.items())


def carried(world: World, node: str) -> bool:
    """Whether the node's session is up at this moment; one that comes and goes is, where that is the way chosen."""
    reason = world.get(node, SESSION_FAULT)
    return not reason or any(way.carries for way, share in _possible(world, reason) if share == 1)


def undecided(world: World, reason: str) -> bool:
    """Whether it is open in which way this reason works."""
    return world.get("cluster", SESSION_WAY).partition(":")[0] != reason and len(SESSION_FAULTS[reason]) > 1


def _possible(world: World, reason: str) -> list[tuple[Way, float]]:
    known = SESSION_FAULTS[reason]
    chosen, _, name = world.get("cluster", SESSION_WAY).partition(":")
    if chosen == reason and name in known:
        return [(known[name], 1.0)]
    return [(way, way.share) for way in known.values()]


def shown(world: World, node: str, *, at_router: bool) -> Shown:
    """What one end shows of the session between `node` and the router."""
    if world.get(node, AGENT_DOWN):
        return AGENT_GONE[at_router]
    reason = world.get(node, SESSION_FAULT)
    if world.get("router", NOBODY_ANNOUNCES) and not reason:
        return NO_PEER[at_router]
    words = _of_reason(world, reason, at_router=at_router) if reason else UP[at_router]
    return words if at_router or world.get("cluster", ANNOUNCER) not in SPEAKS_GOBGP else _in_gobgp(words)


def _of_reason(world: World, reason: str, *, at_router: bool) -> Shown:
    words: dict[str, float] = {}
    for way, share in _possible(world, reason):
        for word, p in (way.router if at_router else way.node).items():
            words[word] = words.get(word, 0.0) + share * p
    return words


def _in_gobgp(words: Shown) -> Shown:
    """GoBGP's words: a session that does not come up is idle and active in turn, whatever the reason (fsm.go)."""
    waiting = sum(words.get(word, 0.0) for word in GOBGP_WAITS)
    return {**words, **{word: waiting * share for word, share in GOBGP_WAITS.items()}}


def half_open(world: World, node: str) -> float:
    """How often the node's end is up and the router's down, or was when it was looked at."""
    reason = world.get(node, SESSION_FAULT)
    if world.get(node, AGENT_DOWN) or world.get("router", NOBODY_ANNOUNCES) or not reason:
        return 0.01  # captures of two moments
    return max(
        0.01,
        sum(
            share * way.node.get("established", 0.0) * (1 - way.router.get("established", 0.0))
            for way, share in _possible(world, reason)
        ),
    )


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
    own = ASTRAY if near == "wrong-source" else _of_reason(world, near, at_router=False) if near else UP[0]
    for weight, table in ((share, own), (distant, FAR_END)):
        for word, p in table.items():
            words[word] = words.get(word, 0.0) + weight * p
    return words
