"""What must change to give the flow one complete path, there and back, on every branch: the smallest sets of changes.

Candidates are settings that a person could change, the repairs of faults that the configuration shows, and the mending
of whatever root cause is assumed. Sets are tried by their disruption, the least first, and hold in nearly all likely
worlds in which the flow fails. A set that does not help shows what still stops the flow: only changes of leaves that
those walks read can make a difference, so that no others are added to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from kubereach.advise.repair import compared
from kubereach.advise.settings import SETTINGS, Setting
from kubereach.diagnose.catalogue import fault_module, removed
from kubereach.diagnose.fault import Fault, Suspect
from kubereach.diagnose.hypothesis import Hypothesis
from kubereach.diagnose.rank import Ranking
from kubereach.diagnose.roles import service_walk
from kubereach.model.attribute import PREFERRED, Key
from kubereach.model.diagnosis import Disruption, Owner, Remedy, SettingChange
from kubereach.simulate.fate import WORKS, Walk
from kubereach.simulate.world import World

SURE = 0.95  # of the mass of the failing worlds
CONSIDERED = 12  # likeliest failing hypotheses
TELLING = 0.4  # nats by which a fault explains what was seen better than its absence, to be reckoned with
MOST_CHANGES = 3
MOST_TRIED = 60
MOST_FOUND = 5
NAMED = 3  # codes of what is to be mended
WORTH_NAMING = 0.05  # of the failing mass
# What one change counts; several small ones are better than one that all nodes or another team must bear.
COSTS = dict(zip(Disruption, (1, 2, 3, 4, 6, 8, 10, 12), strict=True))


class Candidate(Struct, frozen=True):
    """A change that may be part of a remedy: the world that it makes of a hypothesis's, and how it is told there."""

    put: Callable[[Hypothesis, World], World]
    tell: Callable[[World], SettingChange]
    disruption: Disruption
    side_effects: tuple[str, ...] = ()
    mends: bool = False  # the repair of a cause, which is told with that cause already


Blocked = tuple[Hypothesis, World, frozenset[Key]]  # a world in which the flow fails, with what its walk read


def remedies(ranking: Ranking) -> tuple[Remedy, ...]:
    """The alternatives, those that break nothing first, then the least disruptive.

    Nothing where the flow works in most of what is likely, or where the repair of the cause is all that there is.
    """
    failing = _failing(ranking)
    if not failing:
        return ()
    candidates = tuple(_candidates(failing))
    found = [(chosen, share) for chosen, share in _search(failing, candidates) if chosen]
    if all(len(chosen) == 1 and candidates[chosen[0]].mends for chosen, _ in found):
        return ()
    told = [_remedy(failing, [candidates[i] for i in chosen], share) for chosen, share in found]
    return tuple(sorted(told, key=lambda remedy: bool(remedy.breaks)))


def _failing(ranking: Ranking) -> tuple[Hypothesis, ...]:
    """The likely worlds in which the flow fails. Faults that nothing speaks for are left out: anything may go wrong."""
    bad = [
        h
        for h in ranking.hypotheses
        if not any(s.fault.misread for s in h.assumed) and not service_walk(h.world).works()
    ]
    if sum(h.weight for h in bad) < 0.5:
        return ()
    plain = {_variant(base): base.log_likelihood for base in ranking.bases}
    spoken_for = [h for h in bad if not h.assumed or h.log_likelihood > plain[_variant(h)] + TELLING]
    return tuple(spoken_for[:CONSIDERED])


def _variant(hypothesis: Hypothesis) -> frozenset[tuple[Key, object]]:
    return frozenset(hypothesis.variant.items())


def start(hypothesis: Hypothesis) -> World:
    """The hypothesis's world, with the router's tie-break among equal routes left open: tomorrow it may be another."""
    key = PREFERRED.of("router")
    chosen = key in hypothesis.world.changes and key not in hypothesis.variant
    return hypothesis.world.changed({key: ""} if chosen else {})


def _candidates(failing: tuple[Hypothesis, ...]) -> Iterator[Candidate]:
    world = start(failing[0])
    covered: list[set[tuple[Key, object]]] = []
    for setting in SETTINGS:
        covered.append(_difference(world, world.changed(setting.leaves(world))))
        yield _of_setting(setting)
    for suspect in failing[0].present:
        changes = _difference(world, removed(world, (suspect,)))
        if changes and not any(changes <= known for known in covered):
            covered.append(changes)
            yield _of_present(suspect)
    if failing[0].assumed:
        yield _of_assumed(failing)


def _difference(before: World, after: World) -> set[tuple[Key, object]]:
    return {(k, v) for k, v in after.changes.items() if k not in before.changes or before.changes[k] != v}


def _of_setting(setting: Setting) -> Candidate:
    def tell(world: World) -> SettingChange:
        summary, commands = setting.words(world)
        return SettingChange(summary=summary, owner=setting.owner, disruption=setting.disruption, commands=commands)

    def put(_: Hypothesis, world: World) -> World:
        return world.changed(setting.leaves(world))

    return Candidate(put, tell, setting.disruption, setting.side_effects)


def _of_present(suspect: Suspect) -> Candidate:
    def put(hypothesis: Hypothesis, world: World) -> World:
        held = any(s.key == suspect.key for s in hypothesis.present)
        return removed(world, (suspect,)) if held else world

    return Candidate(put, lambda world: _repair(suspect, world), disruption(suspect.fault), mends=True)


def _repair(suspect: Suspect, world: World) -> SettingChange:
    plan = fault_module(suspect.fault.code).repair(world, suspect)
    return SettingChange(
        summary=plan.summary + (f" ({plan.condition})" if plan.condition else ""),
        owner=suspect.fault.owner,
        disruption=disruption(suspect.fault),
        commands=plan.commands,
    )


def _of_assumed(failing: tuple[Hypothesis, ...]) -> Candidate:
    """The mending of what is broken, whichever of the likely causes it is."""
    masses: dict[str, float] = {}
    for hypothesis in failing:
        for code in {s.fault.code for s in hypothesis.assumed}:
            masses[code] = masses.get(code, 0.0) + hypothesis.weight
    enough = WORTH_NAMING * sum(h.weight for h in failing)
    codes = sorted((c for c in masses if masses[c] >= enough), key=lambda c: (-masses[c], c))
    lead = failing[0].assumed[0]
    others = f" or {len(codes) - NAMED} others" if len(codes) > NAMED else ""

    def tell(world: World) -> SettingChange:
        if masses.keys() == {lead.fault.code}:
            return _repair(lead, world)
        return SettingChange(
            summary=f"mend the cause, which is {' or '.join(codes[:NAMED])}{others}",
            owner=lead.fault.owner,
            disruption=disruption(lead.fault),
        )

    def put(hypothesis: Hypothesis, world: World) -> World:
        return removed(world, hypothesis.assumed)

    return Candidate(put, tell, disruption(lead.fault), mends=True)


_BY_OWNER = {
    Owner.HOST: Disruption.HOST,
    Owner.NETWORK: Disruption.ROUTER,
    Owner.CLIENT: Disruption.CLIENTS,
    Owner.APPLICATION: Disruption.WORKLOAD,
}
_BY_LAYER = {
    "allocation": Disruption.SERVICE,
    "policy": Disruption.SERVICE,
    "pod": Disruption.WORKLOAD,
    "fabric": Disruption.CLUSTER,
}


def disruption(fault: Fault) -> Disruption:
    """How much the repair of a fault disturbs, by who does it and at which layer."""
    return _BY_OWNER.get(fault.owner) or _BY_LAYER.get(fault.layer, Disruption.AGENT)


def _search(failing: tuple[Hypothesis, ...], candidates: tuple[Candidate, ...]) -> list[tuple[tuple[int, ...], float]]:
    """The smallest sets that help, as indexes of candidates, with the share of the mass in which they do."""
    found: list[tuple[tuple[int, ...], float]] = []
    number = count()
    queue: list[tuple[int, int, tuple[int, ...]]] = [(0, next(number), ())]
    known: set[tuple[int, ...]] = {()}
    for _ in range(MOST_TRIED):
        while queue and any(set(less) <= set(queue[0][2]) for less, _ in found):
            heappop(queue)
        if not queue or len(found) == MOST_FOUND:
            break
        cost, _, chosen = heappop(queue)
        share, blocked = _tried(failing, [candidates[i] for i in chosen])
        if share >= SURE:
            found.append((chosen, share))
            continue
        for index, candidate in enumerate(candidates):
            larger = tuple(sorted({*chosen, index}))
            if len(larger) > MOST_CHANGES or larger in known or not _touches(candidate, blocked):
                continue
            known.add(larger)
            heappush(queue, (cost + COSTS[candidate.disruption], next(number), larger))
    return found


def _tried(failing: tuple[Hypothesis, ...], chosen: Sequence[Candidate]) -> tuple[float, list[Blocked]]:
    """In which share of the mass the flow works with these changes, and the worlds that stand in the way.

    It ends as soon as too much has failed.
    """
    total = sum(h.weight for h in failing)
    lost, blocked = 0.0, list[Blocked]()
    for hypothesis in failing:
        world = changed(hypothesis, chosen)
        if not service_walk(world).works():
            lost += hypothesis.weight
            blocked.append((hypothesis, world, frozenset(world.reads)))
            if lost > (1 - SURE) * total:
                break
    return 1 - lost / total, blocked


def changed(hypothesis: Hypothesis, chosen: Sequence[Candidate]) -> World:
    """The hypothesis's world with the changes made in turn."""
    world = start(hypothesis)
    for candidate in chosen:
        world = candidate.put(hypothesis, world).changed({})
    return world


def _touches(candidate: Candidate, blocked: list[Blocked]) -> bool:
    """Whether it changes a leaf that one of the failing walks read."""
    return any(
        key in reads
        for hypothesis, world, reads in blocked
        for key, _ in _difference(world, candidate.put(hypothesis, world))
    )


def _without(failing: tuple[Hypothesis, ...], chosen: Sequence[Candidate], spared: Candidate) -> tuple[str, ...]:
    """What stops the flow where one of the changes is spared, in the likeliest world that needs it."""
    rest = [candidate for candidate in chosen if candidate is not spared]
    walks = (service_walk(changed(hypothesis, rest)) for hypothesis in failing)
    stopped = next((found for found in walks if not found.works()), Walk(()))
    return tuple(dict.fromkeys(branch.why for branch in stopped.branches if branch.fate not in WORKS))


def _remedy(failing: tuple[Hypothesis, ...], chosen: Sequence[Candidate], share: float) -> Remedy:
    first = failing[0]
    world, changes = start(first), list[SettingChange]()
    for candidate in chosen:
        changes.append(replace(candidate.tell(world), without=_without(failing, chosen, candidate)))
        world = candidate.put(first, world)
    after = changed(first, chosen)
    clears, breaks = compared(start(first), after)
    return Remedy(
        changes=tuple(changes),
        proved=service_walk(after).works(),
        works_in=round(share, 4),
        clears=clears,
        breaks=breaks,
        side_effects=tuple(dict.fromkeys(effect for candidate in chosen for effect in candidate.side_effects)),
    )
