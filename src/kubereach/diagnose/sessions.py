"""What the faults of BGP sessions share: at one node, at all nodes alike, or at those of one kind.

What is configured once (AS numbers, passwords, peers, a firewall rule for the nodes' segment) is wrong for every node,
or for every one of a kind (a rack, the workers, what the router was told of); what lies in a node is wrong for one. All
are suspected, each with its own prior.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Suspect, announcing_nodes, speaks_bgp
from kubereach.model.attribute import BEHIND_REFLECTOR, SESSION_FAULT, TELLS
from kubereach.model.fact import BgpListing, BgpSession
from kubereach.model.network import Network
from kubereach.model.origin import Origin
from kubereach.probes.session_habit import YOUNG, duration
from kubereach.simulate.world import Changes, World

EVERYWHERE = "cluster"
SEVERAL = "nodes/"  # and their names
ALONE = Chance(0.1, "estimate: how often what differs between the two sides differs for one node alone")
OF_A_KIND = Chance(0.35, "estimate: how often a common cause hits some nodes and spares others, against all")


def session_suspects(world: World, fault: Fault, everywhere: float, at_one: float | None = None) -> Iterable[Suspect]:
    """The fault at each announcing node with its own prior (or `at_one`), and at all nodes with prior `everywhere`.

    Where sessions of several nodes are seen down and others up, also at just these.
    """
    if not speaks_bgp(world):
        return
    for node in announcing_nodes(world):
        yield Suspect(fault=fault, subject=node, prior=at_one)
    if len(world.network.nodes) > 1:
        yield Suspect(fault=fault, subject=EVERYWHERE, prior=everywhere)
    down = _seen_down(world.network)
    if 1 < len(down) < len(world.network.nodes):
        names = ",".join(node.removeprefix("node/") for node in down)
        yield Suspect(fault=fault, subject=SEVERAL + names, prior=everywhere * OF_A_KIND)


def _seen_down(network: Network) -> tuple[str, ...]:
    """The nodes of which either end shows a session with the router that is not up, or as good as new."""
    down = set()
    for fact in network.observed:
        if isinstance(fact, BgpSession) and "mesh" not in fact.peer_type and fact.state:
            node = fact.device if fact.device in network.nodes else network.owners.get(fact.peer, "")
            age = duration(fact.uptime)
            if fact.state != "Established" or (age is not None and age < YOUNG):
                down.add(node)
    # Nodes behind route reflectors have no session with the router, and are not listed there.
    reflected = network.seen("cluster", BEHIND_REFLECTOR)
    lists = not reflected and any(
        isinstance(f, BgpListing) and f.device == "router" and f.complete for f in network.observed
    )
    listed = {network.owners.get(f.peer) for f in network.observed if isinstance(f, BgpSession)}
    known = set(network.owners.values())
    return tuple(n for n in network.nodes if n in down or (lists and n in known and n not in listed))


def raised(suspects: tuple[Suspect, ...], prior: float, because: tuple[tuple[Origin, str], ...]) -> Iterable[Suspect]:
    """The same suspects with another prior, and what it rests on."""
    share = {s.key: OF_A_KIND if s.subject.startswith(SEVERAL) else 1.0 for s in suspects}
    return (replace(s, prior=prior * share[s.key], because=because) for s in suspects)


def raised_together(
    suspects: tuple[Suspect, ...], prior: float, because: tuple[tuple[Origin, str], ...]
) -> Iterable[Suspect]:
    """The same for what is configured for all nodes at once: one node alone has it where the peer lists each."""
    for suspect in raised(suspects, prior, because):
        alone = suspect.subject.startswith("node/") and len(suspects) > 1
        yield replace(suspect, prior=prior * ALONE) if alone else suspect


def affected(world: World, suspect: Suspect) -> tuple[str, ...]:
    """The nodes whose sessions the suspect takes down."""
    if suspect.subject.startswith(SEVERAL):
        return tuple(f"node/{name}" for name in suspect.subject.removeprefix(SEVERAL).split(","))
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
