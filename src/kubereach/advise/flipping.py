"""Which changes between two bundles explain that a flow fares otherwise: the smallest sets that flip its walk.

Changes of settings and faults that came or went are put into each world that was likely before, in sets of one, two
and three, until the flow fares as it does afterwards. What only one bundle shows is no change and flips nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from msgspec import Struct

from kubereach.advise.evidence_change import Side
from kubereach.advise.outcome import Ending, read
from kubereach.diagnose.catalogue import fault_module
from kubereach.diagnose.fault import Suspect
from kubereach.diagnose.hypothesis import Hypothesis, chance
from kubereach.diagnose.observe import Group
from kubereach.diagnose.rank import Ranking
from kubereach.diagnose.roles import service_walk
from kubereach.model.attribute import Endpoint, Key
from kubereach.model.diagnosis import Because, Verdict
from kubereach.model.difference import Explanation, ModelChange
from kubereach.model.network import Network, Seen
from kubereach.model.what_if import Result
from kubereach.simulate.world import Changes, World

LARGEST_SET = 3
MOST_CANDIDATES = 16
CONSIDERED = 40
CONSIDERED_MASS = 0.98
AGAINST = 1.6  # nats that the evidence afterwards must speak against a fault for it to be gone: one to five
CAME = 0.5  # a fault more probable than this has come
LEAST_TOLD = 0.01
LIKELY = 0.8
UNEXPECTED, EXPECTED = 0.2, 0.5  # of an answer before and after the flip


_FARES = {
    Verdict.REACHABLE: Result.WORKS,
    Verdict.DEGRADED: Result.PARTLY,
    Verdict.UNREACHABLE: Result.FAILS,
}


class Candidate(Struct, frozen=True):
    """One change: what it says, and the leaves that it changes in a world."""

    says: str
    changes: Changes


def model_changes(before: Network, after: Network) -> tuple[ModelChange, ...]:
    """The leaves that evidence gives on both sides, with different values."""
    return tuple(
        ModelChange(
            subject=key[0],
            leaf=key[1],
            before=worded(old.value),
            after=worded(new.value),
            origins_before=_labels(old),
            origins_after=_labels(new),
        )
        for key, old, new in _changed_leaves(before, after)
    )


def explained(
    verdicts: tuple[Verdict, Verdict], before: Ranking, after: Ranking, sides: tuple[Side, Side]
) -> tuple[tuple[Explanation, ...], tuple[str, ...]]:
    """The explanations by probability, and in words what remains undecided; none where the flow fares the same."""
    result = _FARES.get(verdicts[1])
    if result is None:
        return (), ("What the client gets is not decided in the second bundle, so that nothing can be explained.",)
    same_verdict = verdicts[0] is verdicts[1]
    if same_verdict and ends(before) == ends(after):
        return (), ()
    target = Ending(result, ends(after) if same_verdict else "")
    leaves = [
        Candidate(f"{key[0]} {key[1]}: {worded(old.value)} → {worded(new.value)}", {key: new.value})
        for key, old, new in _changed_leaves(sides[0].network, sides[1].network)
    ]
    found: dict[tuple[str, ...], float] = {}
    reasons: dict[tuple[str, ...], tuple[Because, ...]] = {}
    total = lost = 0.0
    for hypothesis in _likely(before.hypotheses):
        if _fares(hypothesis.world, target):
            continue  # a world that is likely for other reasons, and has nothing to explain
        total += hypothesis.weight
        candidates = (*_faults(hypothesis, after), *leaves)[:MOST_CANDIDATES]
        sets = _smallest(hypothesis.world, candidates, target)
        lost += 0.0 if sets else hypothesis.weight
        for chosen, world in sets:
            key = tuple(sorted(c.says for c in chosen))
            found[key] = found.get(key, 0.0) + hypothesis.weight
            reasons.setdefault(key, _because(hypothesis.world, world, after.groups))
    total = total or 1.0
    ranked = sorted(found, key=lambda k: (-round(found[k], 9), len(k), k))
    explanations = tuple(
        Explanation(changes=key, probability=round(min(found[key] / total, 1.0), 4), because=reasons[key])
        for key in ranked
        if found[key] / total >= LEAST_TOLD
    )
    return explanations, tuple(_undecided(explanations, lost / total, sides))


def _undecided(found: tuple[Explanation, ...], lost: float, sides: tuple[Side, Side]) -> Iterator[str]:
    if found and found[0].probability < LIKELY:
        yield "The evidence does not decide between these: what was wrong before is not known for sure."
    if lost >= 0.05:
        yield (
            f"In {lost:.0%} of what was likely before, no change that both bundles show makes the difference: "
            "it lies in what only one of them covers, or in nothing that was collected."
        )
    new = [n for n in sides[1].network.nodes if n not in sides[0].network.nodes and "(" not in n]
    if new:
        yield f"{', '.join(new)} cannot be put into the model of before, which does not know of it."


def _likely(hypotheses: tuple[Hypothesis, ...]) -> Iterator[Hypothesis]:
    total, mass = sum(h.weight for h in hypotheses), 0.0
    for hypothesis in hypotheses[:CONSIDERED]:
        yield hypothesis
        mass += hypothesis.weight
        if mass >= CONSIDERED_MASS * total:
            return


def ends(ranking: Ranking) -> str:
    """How the flow ends in the likeliest world, "" where it arrives or nothing is likely."""
    return read(service_walk(ranking.hypotheses[0].world)).why if ranking.hypotheses else ""


def _fares(world: World, target: Ending) -> bool:
    """Whether the flow ends so in the world; the reason counts where the target has one."""
    found = read(service_walk(world))
    return found.result is target.result and (not target.why or found.why == target.why)


def _faults(hypothesis: Hypothesis, after: Ranking) -> Iterator[Candidate]:
    """The faults of a world that the evidence afterwards speaks against, and those that it has brought."""
    world = hypothesis.world
    likeliest = after.hypotheses[0] if after.hypotheses else None
    for suspect in hypothesis.assumed:
        if likeliest is not None and _is_gone(suspect, likeliest, after.groups):
            yield Candidate(f"gone: {_summary(suspect)}", fault_module(suspect.fault.code).remove(world, suspect))
    mine = {s.key for s in hypothesis.assumed}
    for suspect in _brought(after):
        if suspect.key not in mine:
            yield Candidate(f"new: {_summary(suspect)}", fault_module(suspect.fault.code).apply(world, suspect))


def _is_gone(suspect: Suspect, likeliest: Hypothesis, groups: tuple[Group, ...]) -> bool:
    """Whether the evidence afterwards would be much less likely with the fault than it is without.

    That no hypothesis has it afterwards does not say so: a fault that touches nothing that was seen makes none.
    """
    if suspect.key in {s.key for s in likeliest.assumed}:
        return False
    changes = fault_module(suspect.fault.code).apply(likeliest.world, suspect)
    with_it = Hypothesis(likeliest.world.changed(changes), (), (), 0.5)
    with_it.judge(groups)
    return with_it.log_likelihood < likeliest.log_likelihood - AGAINST


def _brought(after: Ranking) -> tuple[Suspect, ...]:
    """The faults that are more probable than not afterwards."""
    masses: dict[tuple[str, str], float] = {}
    known: dict[tuple[str, str], Suspect] = {}
    for hypothesis in after.hypotheses:
        for suspect in hypothesis.assumed:
            known.setdefault(suspect.key, suspect)
            masses[suspect.key] = masses.get(suspect.key, 0.0) + hypothesis.weight
    return tuple(known[key] for key in sorted(masses) if masses[key] >= CAME)


def _summary(suspect: Suspect) -> str:
    return f"{suspect.fault.summary.replace('{name}', suspect.name)} ({suspect.fault.code})"


def _smallest(
    world: World, candidates: tuple[Candidate, ...], target: Ending
) -> list[tuple[tuple[Candidate, ...], World]]:
    """The smallest sets of changes after which the flow fares as wanted, each with the world that it leads to."""
    for size in range(1, min(LARGEST_SET, len(candidates)) + 1):
        found = []
        for chosen in combinations(candidates, size):
            changed = world
            for candidate in chosen:
                changed = changed.changed(candidate.changes)
            if _fares(changed, target):
                found.append((chosen, changed))
        if found:
            return found
    return []


def _because(before: World, after: World, groups: tuple[Group, ...]) -> tuple[Because, ...]:
    """What was seen afterwards that the flipped world expects and the world before did not."""
    found = []
    was, now = Hypothesis(before, (), (), 0.5), Hypothesis(after, (), (), 0.5)
    for group in groups:
        for sighting in group.sightings:
            old, new = was.predict(sighting.question), now.predict(sighting.question)
            if old is None or new is None:
                continue
            if chance(old, sighting) <= UNEXPECTED and chance(new, sighting) >= EXPECTED:
                found += [Because(origin=origin.label(), says=sighting.says) for origin in sighting.origins[:1]]
    return tuple(dict.fromkeys(found))


def _changed_leaves(before: Network, after: Network) -> Iterator[tuple[Key, Seen, Seen]]:
    for key in sorted(before.settings.keys() & after.settings.keys()):
        old, new = before.settings[key], after.settings[key]
        if old.value != new.value and not key[1].startswith("why "):
            yield key, old, new


def _labels(seen: Seen) -> tuple[str, ...]:
    return tuple(dict.fromkeys(origin.label() for origin in seen.origins))


def worded(value: object) -> str:
    """A leaf's value for people."""
    if isinstance(value, tuple):
        return ", ".join(worded(part) for part in value) or "none"
    if isinstance(value, Endpoint):
        where = f" on {value.node.removeprefix('node/')}" if value.node else ""
        return f"{value.address or 'a pod'}{where}{'' if value.ready else ', not ready'}"
    if isinstance(value, Struct):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return " ".join(f"{name}={worded(part)}" for name, part in fields if part not in ("", None, ()))
    return str(value).lower() if isinstance(value, bool) else str(value)
