"""Faults whose prior rests on a doubt that evidence raises or dispels (build.peering, build.links)."""

from __future__ import annotations

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Suspect
from kubereach.model.attribute import Attribute
from kubereach.simulate.world import World

# Of the fault's prior.
DISPELLED = Chance(0.3, "where what would raise the doubt was looked at and is in order: it may show less than all")


def doubt(world: World, holder: str, leaf: Attribute[str]) -> str | None:
    """The doubt in words, "" where it is dispelled, None where nothing was seen."""
    world.get(holder, leaf)
    return world.network.seen(holder, leaf)


def by_doubt(
    world: World,
    fault: Fault,
    subject: str,
    about: tuple[str, Attribute[str]],
    suspected: float,
    prior: float | None = None,
) -> Suspect:
    """The fault at `subject` with prior `suspected` where the doubt stands; `about` is the leaf and who has it."""
    holder, leaf = about
    says = doubt(world, holder, leaf)
    usual = fault.prior if prior is None else prior
    if says is None:
        return Suspect(fault=fault, subject=subject, prior=usual)
    if not says:
        return Suspect(fault=fault, subject=subject, prior=usual * DISPELLED)
    because = tuple((origin, says) for origin in world.network.origins(holder, leaf)[:1])
    return Suspect(fault=fault, subject=subject, prior=suspected, because=because)


def on_nodes_alike(
    world: World, fault: Fault, nodes: tuple[str, ...], leaf: Attribute[str], suspected: float
) -> tuple[Suspect, ...]:
    """The fault at each of `nodes`, and at all of them: nodes are set up alike, so one's doubt is every one's."""
    found = [by_doubt(world, fault, node, (node, leaf), suspected) for node in nodes]
    if len(nodes) < 2:
        return tuple(found)
    doubted = next((n for n in world.network.nodes if doubt(world, n, leaf)), nodes[0])
    return (*found, by_doubt(world, fault, "cluster", (doubted, leaf), suspected))


def places(world: World, suspect: Suspect) -> tuple[str, ...]:
    """The nodes that a suspect of `on_nodes_alike` is about."""
    return world.network.nodes if suspect.subject == "cluster" else (suspect.subject,)
