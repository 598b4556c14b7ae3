"""How a leaf that evidence gives, or only a setting that exposes a subject, turns into a suspect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from kubereach.diagnose.fault import Fault, Presence, Suspect, entry_nodes
from kubereach.model.attribute import IMPORT_POLICY, TELLS, Attribute, T, why
from kubereach.model.fact import ProbeKind, ProbeResult
from kubereach.model.network import Network
from kubereach.simulate.walk import Packet, walk
from kubereach.simulate.world import Changes, World


def affected_nodes(world: World, *leaves: Attribute[Any]) -> tuple[str, ...]:
    """The nodes that the flow enters or ends at, and those of which evidence gives one of the leaves."""
    shown = [n for n in world.network.nodes if any((n, leaf.name) in world.network.settings for leaf in leaves)]
    return tuple(dict.fromkeys((*entry_nodes(world), *_pod_nodes(world), *shown)))


def _pod_nodes(world: World) -> tuple[str, ...]:
    """The nodes whose pods the flow is sent to from another node."""
    flow = world.network.flow
    found = walk(world, flow.service, Packet(flow.source, flow.address, flow.port or 80))
    return tuple(dict.fromkeys(b.endpoint for b in found.branches if b.endpoint in world.network.nodes))


def by_import_policy(fault: Fault, world: World, refusing: str) -> Iterable[Suspect]:
    """The router as a suspect: where its import policy is shown, it has the fault or not; unknown elsewhere."""
    policy = world.network.seen("router", IMPORT_POLICY)
    if policy is None:
        return (Suspect(fault=fault, subject="router"),)
    said = world.network.seen("router", why(IMPORT_POLICY)) or ""
    because = tuple((origin, said) for origin in world.network.origins("router", IMPORT_POLICY)[:1])
    presence = Presence.PRESENT if policy == refusing else Presence.ABSENT
    return (Suspect(fault=fault, subject="router", presence=presence, because=because),)


def by_leaf(
    fault: Fault, world: World, subjects: Iterable[str], leaf: Attribute[Any], says: str, prior: float | None = None
) -> Iterable[Suspect]:
    """Present where the leaf is seen to be set, absent where it is seen not to be, unknown elsewhere.

    A leaf of the whole cluster holds for every subject that has none of its own.
    """
    for subject in subjects:
        seen = world.network.settings.get((subject, leaf.name)) or world.network.settings.get(("cluster", leaf.name))
        if seen is None:
            yield Suspect(fault=fault, subject=subject, prior=prior)
            continue
        because = tuple((origin, says) for origin in seen.origins[:2])
        presence = Presence.PRESENT if seen.value else Presence.ABSENT
        if presence is Presence.ABSENT:
            because = tuple((origin, f"not so: {says}") for origin in seen.origins[:1])
        yield Suspect(fault=fault, subject=subject, presence=presence, because=because)


def exposed(
    fault: Fault, world: World, subjects: Iterable[str], leaf: Attribute[Any], odds: Mapping[object, float], says: str
) -> Iterable[Suspect]:
    """Unknown suspects whose prior depends on a setting that exposes them without deciding.

    `odds` maps the setting's value to the prior; the fault's own stands for a value that is not in it. A prior of 0
    acquits.
    """
    for subject in subjects:
        seen = world.network.settings.get((subject, leaf.name)) or world.network.settings.get(("cluster", leaf.name))
        prior = odds.get(seen.value) if seen is not None else None
        because = () if seen is None or prior is None else tuple((o, says) for o in seen.origins[:2])
        presence = Presence.ABSENT if prior == 0 else Presence.UNKNOWN
        yield Suspect(fault=fault, subject=subject, presence=presence, prior=prior or None, because=because)


def everywhere_too(find: Callable[[World], Iterable[Suspect]]) -> Callable[[World], Iterable[Suspect]]:
    """A fault's `suspects`, with one more for every node at once: nodes are set up alike, and so are their faults.

    Only where the flow enters several nodes, and none of them is acquitted.
    """

    def suspects(world: World) -> Iterable[Suspect]:
        single = tuple(find(world))
        yield from single
        there = [s for s in single if s.subject in entry_nodes(world)]
        unknown = [s for s in there if s.presence is Presence.UNKNOWN]
        if len(unknown) > 1 and not any(s.presence is Presence.ABSENT for s in there):
            likeliest = max(unknown, key=lambda s: s.fault.prior if s.prior is None else s.prior)
            yield replace(likeliest, subject="cluster")

    return suspects


def seen_of(world: World, subject: str, leaf: Attribute[T]) -> T | None:
    """The leaf as evidence gives it for the subject, or for the cluster as a whole; None where it is unseen."""
    found = world.network.seen(subject, leaf)
    return world.network.seen("cluster", leaf) if found is None else found


def tells(world: World, *slugs: str) -> Changes:
    """The change that makes programs write these messages in a world."""
    return {TELLS.of("cluster"): (*world.get("cluster", TELLS), *slugs)}


def inside(network: Network) -> bool:
    """Whether the address was tried from a node or pod of the cluster."""
    return any(
        isinstance(fact, ProbeResult)
        and fact.target == network.flow.address
        and fact.probe in {ProbeKind.TCP, ProbeKind.HTTP, ProbeKind.UDP}
        and fact.source.startswith(("node/", "pod/"))
        for fact in network.observed
    )
