"""What people try: common changes, each walked in every likely world, with the condition under which it helps."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from kubereach.advise.repair import proved
from kubereach.diagnose.rank import Hypothesis, Ranking
from kubereach.diagnose.roles import service_walk
from kubereach.model.attribute import ANNOUNCER, ENCAPSULATION, EXCLUDED, MESH, POLICY
from kubereach.model.diagnosis import Repair
from kubereach.simulate.world import Changes, World

SURE = 0.95
HARDLY = 0.02
CONSIDERED = 60  # likeliest hypotheses that are walked


class Change(Struct, frozen=True):
    """A change people make: its words, its leaves in a world (none where it does not apply), its side effects.

    NAMESPACE, SERVICE and NODE in a command stand for the flow's own.
    """

    summary: str
    commands: tuple[str, ...]
    leaves: Callable[[World], Changes]
    side_effects: tuple[str, ...] = ()


def _policy(world: World) -> Changes:
    service = world.network.flow.service
    return {POLICY.of(service): "Cluster"} if world.get(service, POLICY) == "Local" else {}


def _mesh(world: World) -> Changes:
    calico = world.get("cluster", ANNOUNCER) == "calico-bgp"
    return {MESH.of("cluster"): True} if calico and not world.get("cluster", MESH) else {}


def _exclude_entry(world: World) -> Changes:
    entries = {b.entry for b in service_walk(world).branches if b.entry}
    works = service_walk(world).works()
    return {} if works else {EXCLUDED.of(entry): True for entry in sorted(entries)}


CHANGES = (
    Change(
        "set externalTrafficPolicy to Cluster, and nothing else",
        ('kubectl -n NAMESPACE patch service SERVICE -p \'{"spec":{"externalTrafficPolicy":"Cluster"}}\'',),
        _policy,
        ("the pods no longer see the client's address",),
    ),
    Change(
        "switch the node-to-node mesh on, and nothing else",
        ('kubectl patch bgpconfiguration default --type merge -p \'{"spec":{"nodeToNodeMeshEnabled":true}}\'',),
        _mesh,
        ("nodes pass each other's service routes on to the router, with themselves as next hop",),
    ),
    Change(
        "keep the node that the traffic enters from announcing, and nothing else",
        ("kubectl label node NODE node.kubernetes.io/exclude-from-external-load-balancers=true --overwrite",),
        _exclude_entry,
        ("MetalLB and cloud controllers skip the node too",),
    ),
)


def what_if(ranking: Ranking) -> tuple[Repair, ...]:
    """Each change that applies, proved only when it clears the flow in (nearly) all of the likely worlds."""
    failing = [h for h in ranking.hypotheses[:CONSIDERED] if not service_walk(h.world).works()]
    if not failing:
        return ()
    return tuple(repair for change in CHANGES if (repair := _judged(change, failing)) is not None)


def _judged(change: Change, failing: list[Hypothesis]) -> Repair | None:
    applicable = [(h, leaves) for h in failing if (leaves := change.leaves(h.world))]
    if not applicable:
        return None
    total = sum(h.weight for h, _ in applicable) or 1.0
    working = [(h, leaves) for h, leaves in applicable if service_walk(h.world.changed(leaves)).works()]
    share = sum(h.weight for h, _ in working) / total
    best, leaves = working[0] if share >= SURE else applicable[0]
    repair = proved(
        best.world,
        best.world.changed(leaves),
        Repair(summary=change.summary, commands=_filled(change, best.world), side_effects=change.side_effects),
    )
    if share >= SURE or share <= HARDLY:
        return repair
    condition = _condition(working, applicable)
    return Repair(
        summary=repair.summary,
        commands=repair.commands,
        proved=False,
        breaks=repair.breaks,
        side_effects=repair.side_effects,
        condition=f"works in {share:.0%} of what is likely" + (f": only if {condition}" if condition else ""),
    )


def _filled(change: Change, world: World) -> tuple[str, ...]:
    _, namespace, service = world.network.flow.service.split("/")
    entries = sorted({b.entry.removeprefix("node/") for b in service_walk(world).branches if b.entry})
    names = {"NAMESPACE": namespace, "SERVICE": service, "NODE": " ".join(entries) or "NODE"}
    commands = []
    for command in change.commands:
        for placeholder, name in names.items():
            command = command.replace(placeholder, name)
        commands.append(command)
    return tuple(commands)


def _condition(working: list[tuple[Hypothesis, Changes]], applicable: list[tuple[Hypothesis, Changes]]) -> str:
    """The setting that all worlds have in which it works, and some of the others have not."""
    values = {h.world.get("cluster", ENCAPSULATION) for h, _ in working}
    others = {h.world.get("cluster", ENCAPSULATION) for h, _ in applicable}
    if len(values) == 1 and others - values:
        return f"the pod network really uses {next(iter(values)).upper()}"
    return ""
