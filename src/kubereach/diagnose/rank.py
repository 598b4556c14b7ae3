"""Ranking: how well each set of faults explains everything seen, success included.

A hypothesis is a variant and a set of unknown faults, put into the world that already has the present ones. Its weight
is its prior times the likelihood of all sightings. A residual, "something that is not in the catalogue", competes with
the background probabilities. Sets of up to three are searched best first (see `search`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from math import exp, log

from msgspec import Struct

from kubereach.diagnose import trust
from kubereach.diagnose.catalogue import all_suspects, fault_module
from kubereach.diagnose.fault import Presence, Suspect
from kubereach.diagnose.hypothesis import Hypothesis, Judgement, background_of
from kubereach.diagnose.observe import Group
from kubereach.diagnose.search import Extension, Limits, search
from kubereach.diagnose.variants import Variant, variants
from kubereach.model.attribute import Key
from kubereach.model.network import Network
from kubereach.simulate.world import Changes, Shared, World

# Up to three faults; what has less than a thousandth of the best one's weight decides nothing.
LIMITS = Limits(size=3, depth=6.5, walks=100)
LEAST_MENDED = (
    0.7  # nats: a fault that could not even double the likelihood explains nothing, and stays as likely as before
)
NEGLIGIBLE = 1e-4  # hypotheses below this share of the mass are dropped
DROPPED = 14.0  # nats below the best one: so little that all of them together change no digit that is shown


class Ranking(Struct, frozen=True):
    """Hypotheses by weight, the best first; weights and `residual` add up to 1."""

    hypotheses: tuple[Hypothesis, ...]
    residual: float
    groups: tuple[Group, ...]
    suspects: tuple[Suspect, ...]  # of the best variant's world, all presences
    bases: tuple[Hypothesis, ...]  # each variant's world with the present faults alone, the likeliest variant first


class Addition(Struct, frozen=True):
    """A fault that may be added, with its log odds and the leaves that it changes."""

    suspect: Suspect
    log_odds: float
    keys: frozenset[Key]


class Family(Struct, frozen=True):
    """A variant's world with the present faults alone, and what may be added to it."""

    base: Hypothesis
    suspects: tuple[Suspect, ...]
    unknown: tuple[Addition, ...]  # the likeliest first
    alone: dict[tuple[str, str], tuple[Judgement, ...]]  # what each one that was walked does by itself


class Member(Struct, frozen=True):
    """A hypothesis of a family, as the search goes through them."""

    hypothesis: Hypothesis
    family: Family

    @property
    def score(self) -> float:
        """The hypothesis's."""
        return self.hypothesis.score


def rank(network: Network, groups: tuple[Group, ...], disabled: frozenset[str] = frozenset()) -> Ranking:
    """Rank all hypotheses; `disabled` faults count as having no effect (for tests of their worth)."""
    shared = Shared()
    families = tuple(_family(network, variant, groups, disabled, shared) for variant in variants(network))
    extend = partial(_extensions, groups)
    found = tuple(search([Member(family.base, family) for family in families], extend, LIMITS))
    best = max(found, key=lambda member: member.score)
    residual = log(trust.RESIDUAL_PRIOR) + sum(log(background_of(s)) for group in groups for s in group.sightings)
    return _normalised(
        [member.hypothesis for member in found],
        residual,
        groups,
        best.family.suspects,
        tuple(family.base for family in families),
    )


def _family(
    network: Network, variant: Variant, groups: tuple[Group, ...], disabled: frozenset[str], shared: Shared
) -> Family:
    world = World(network, dict(variant.changes), shared)
    suspects = tuple(s for s in all_suspects(world) if s.fault.code not in disabled)
    base = Hypothesis(world, (), tuple(s for s in suspects if s.presence is Presence.PRESENT), variant.prior)
    base.judge(groups)
    unknown = (s for s in suspects if s.presence is Presence.UNKNOWN)
    additions = [Addition(s, s.log_odds, frozenset(_changes(base, s))) for s in unknown]
    return Family(base, suspects, tuple(sorted(additions, key=lambda a: (-a.log_odds, a.suspect.key))), {})


def _changes(parent: Hypothesis, suspect: Suspect) -> Changes:
    return fault_module(suspect.fault.code).apply(parent.plain, suspect)


def _extensions(groups: tuple[Group, ...], one: Member, floor: float) -> Iterator[Extension[Member]]:
    """One more fault, for each that touches predictions that fit badly, and could bring the score to `floor`.

    A fault that touches nothing of them is as likely as before, and the set stands for the worlds with and without it.
    A set that fits worse than its world without any fault is not grown.
    """
    hypothesis, family = one.hypothesis, one.family
    if one.score < family.base.score:
        return
    lacks = [j.most - j.log_likelihood for j in hypothesis.judgements]
    most = sum(lacks)
    left = LIMITS.size - len(hypothesis.assumed)
    readers: dict[Key, list[int]] = {}
    for added in family.unknown:
        if most < LEAST_MENDED or one.score + _grown(added.log_odds + most, left) < floor:
            return  # and so would be all that are less likely
        if not readers:
            readers = _readers(hypothesis)
        conflicts = sorted({number for key in added.keys for number in readers.get(key, ())})
        mended = sum([lacks[number] for number in conflicts])
        gain = added.log_odds + mended
        if mended < LEAST_MENDED or added.suspect in hypothesis.assumed:
            continue
        if one.score + _grown(gain, left) >= floor:
            chosen = tuple(sorted({*(s.key for s in hypothesis.assumed), added.suspect.key}))
            likely = added.log_odds + _likely(hypothesis, family.alone.get(added.suspect.key), conflicts, mended)
            make = partial(_extended, groups, one, added.suspect)
            yield Extension(gain, likely, (id(family), chosen), chosen, make)


def _likely(
    hypothesis: Hypothesis, alone: tuple[Judgement, ...] | None, conflicts: Sequence[int], mended: float
) -> float:
    """What a fault probably mends in a set: what it does by itself, where that is known, and else all that it may."""
    if alone is None:
        return mended
    mine = hypothesis.judgements
    mends = [alone[n].log_likelihood - mine[n].log_likelihood for n in conflicts]
    return sum([mend for mend in mends if mend > 0])


def _grown(gain: float, left: int) -> float:
    """What `left` faults could add at most when none gains more than the first."""
    return gain + (left - 1) * max(gain, 0.0)


def _readers(hypothesis: Hypothesis) -> dict[Key, list[int]]:
    """For each leaf the numbers of the judgements that depend on it."""
    readers: dict[Key, list[int]] = {}
    for number, judgement in enumerate(hypothesis.judgements):
        for key in judgement.reads:
            readers.setdefault(key, []).append(number)
    return readers


def _extended(groups: tuple[Group, ...], one: Member, suspect: Suspect, best: float) -> Member | None:
    """The set with one more fault; None where nothing that was seen depends on it, or where it fits too badly.

    What fits worse than its world without any fault is not grown.
    """
    changes = _changes(one.hypothesis, suspect)
    if not any(judgement.reads & changes.keys() for judgement in one.hypothesis.judgements):
        return None
    child = one.hypothesis.with_fault(suspect, changes)
    worth = child.judge(groups, one.hypothesis, min(best - DROPPED, one.family.base.score))
    if not one.hypothesis.assumed:
        one.family.alone[suspect.key] = child.judgements
    return Member(child, one.family) if worth else None


def _normalised(
    found: list[Hypothesis],
    residual: float,
    groups: tuple[Group, ...],
    suspects: tuple[Suspect, ...],
    bases: tuple[Hypothesis, ...],
) -> Ranking:
    top = max([residual, *(h.score for h in found)])
    rest = exp(residual - top)
    total = rest + sum(exp(h.score - top) for h in found)
    for hypothesis in found:
        hypothesis.weight = exp(hypothesis.score - top) / total
    kept = [h for h in found if h.weight >= NEGLIGIBLE]
    kept.sort(key=lambda h: (-h.weight, tuple(s.key for s in h.assumed), str(sorted(h.world.changes.items(), key=str))))
    return Ranking(tuple(kept), rest / total, groups, suspects, bases)
