"""What the faults of BGP sessions share: at one node, or at all nodes alike.

What is configured once (AS numbers, passwords, peers, a firewall rule for the nodes' segment) is wrong for every node;
what lies in a node is wrong for one. Both are suspected, each with its own prior.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kubereach.diagnose.fault import Fault, Suspect, announcing_nodes, speaks_bgp
from kubereach.model.attribute import SESSION_FAULT, TELLS
from kubereach.model.origin import Origin
from kubereach.simulate.world import Changes, World

EVERYWHERE = "cluster"


def session_suspects(world: World, fault: Fault, everywhere: float, at_one: float | None = None) -> Iterable[Suspect]:
    """The fault at each announcing node with its own prior (or `at_one`), and at all nodes with prior `everywhere`."""
    if not speaks_bgp(world):
        return
    for node in announcing_nodes(world):
        yield Suspect(fault=fault, subject=node, prior=at_one)
    if len(world.network.nodes) > 1:
        yield Suspect(fault=fault, subject=EVERYWHERE, prior=everywhere)


def raised(suspects: Iterable[Suspect], prior: float, because: tuple[tuple[Origin, str], ...]) -> Iterable[Suspect]:
    """The same suspects with another prior, and what it rests on."""
    return (replace(suspect, prior=prior, because=because) for suspect in suspects)


def affected(world: World, suspect: Suspect) -> tuple[str, ...]:
    """The nodes whose sessions the suspect takes down."""
    return world.network.nodes if suspect.subject == EVERYWHERE else (suspect.subject,)


def broken(world: World, suspect: Suspect, reason: str, tells: tuple[str, ...] = ()) -> Changes:
    """The leaves of a session fault, with the messages that it makes programs write."""
    changes: dict[tuple[str, str], object] = {SESSION_FAULT.of(node): reason for node in affected(world, suspect)}
    if tells:
        changes[TELLS.of("cluster")] = (*world.get("cluster", TELLS), *tells)
    return changes


def mended(world: World, suspect: Suspect) -> Changes:
    """The leaves without it."""
    return {SESSION_FAULT.of(node): "" for node in affected(world, suspect)}
