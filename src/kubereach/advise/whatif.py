"""What people try first: single settings that do not make the flow work by themselves, walked in every likely world.

Those that do are remedies, and are told as such.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubereach.advise.repair import proved
from kubereach.advise.settings import MESH_ON, POLICY_CLUSTER, SILENCE, Setting
from kubereach.diagnose.hypothesis import Hypothesis
from kubereach.diagnose.rank import Ranking
from kubereach.diagnose.roles import service_walk
from kubereach.model.attribute import ENCAPSULATION
from kubereach.model.diagnosis import Remedy, Repair
from kubereach.simulate.world import Changes

SURE = 0.95
HARDLY = 0.02
CONSIDERED = 60  # likeliest hypotheses that are walked
TRIED = (POLICY_CLUSTER, MESH_ON, SILENCE)


def what_if(ranking: Ranking, known: Sequence[Remedy] = ()) -> tuple[Repair, ...]:
    """Each change that applies and is no remedy, proved only when it clears the flow in (nearly) all likely worlds."""
    failing = [h for h in ranking.hypotheses[:CONSIDERED] if not service_walk(h.world).works()]
    if not failing:
        return ()
    told = {remedy.changes[0].summary for remedy in known if len(remedy.changes) == 1}
    found = (_judged(setting, failing, told) for setting in TRIED)
    return tuple(repair for repair in found if repair is not None)


def _judged(setting: Setting, failing: list[Hypothesis], told: set[str]) -> Repair | None:
    applicable = [(h, leaves) for h in failing if (leaves := setting.leaves(h.world))]
    if not applicable:
        return None
    total = sum(h.weight for h, _ in applicable) or 1.0
    working = [(h, leaves) for h, leaves in applicable if service_walk(h.world.changed(leaves)).works()]
    share = sum(h.weight for h, _ in working) / total
    best, leaves = working[0] if share >= SURE else applicable[0]
    summary, commands = setting.words(best.world)
    if summary in told:
        return None
    repair = proved(
        best.world,
        best.world.changed(leaves),
        Repair(summary=f"{summary}, and nothing else", commands=commands, side_effects=setting.side_effects),
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


def _condition(working: list[tuple[Hypothesis, Changes]], applicable: list[tuple[Hypothesis, Changes]]) -> str:
    """The setting that all worlds have in which it works, and some of the others have not."""
    values = {h.world.get("cluster", ENCAPSULATION) for h, _ in working}
    others = {h.world.get("cluster", ENCAPSULATION) for h, _ in applicable}
    if len(values) == 1 and others - values:
        return f"the pod network really uses {next(iter(values)).upper()}"
    return ""
