"""Ranking: how well each set of faults explains everything seen, success included.

A hypothesis is a variant and a set of unknown faults, put into the world that already has the present ones. Its weight
is its prior times the likelihood of all sightings. A residual, "something that is not in the catalogue", competes with
the background probabilities. Sets of two are expanded best first within a budget of walked worlds; a fault that
touches nothing that the predictions read inherits them.
"""

from __future__ import annotations

from math import exp, log

from msgspec import Struct

from kubereach.diagnose import trust
from kubereach.diagnose.catalogue import all_suspects, fault_module
from kubereach.diagnose.fault import Presence, Suspect
from kubereach.diagnose.observe import Group, probe
from kubereach.diagnose.variants import Variant, variants
from kubereach.model.attribute import LEASE_HOLDER, PREFERRED, Key
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Question, Sighting
from kubereach.simulate.announced import open_leader
from kubereach.simulate.bgp import open_choice
from kubereach.simulate.world import Changes, World

PAIR_BUDGET = 150  # worlds with two faults, over all variants
WORTH_WALKING = 5.0  # nats below the best single fault at which two are not worth a walk
PAIR_HEADS = 14  # single faults of a variant that are tried with a second one
NEGLIGIBLE = 1e-4  # hypotheses below this share of the mass are dropped


Answered = tuple[Distribution | None, frozenset[Key]]


class Hypothesis:
    """A set of assumed faults in a variant's world, with what it predicts."""

    def __init__(self, world: World, assumed: tuple[Suspect, ...], present: tuple[Suspect, ...], prior: float) -> None:
        self.world, self.assumed, self.present = world, assumed, present
        self.variant: Changes = world.changes if not assumed else {}  # what is no fault of it
        self.log_prior = log(prior) + sum(_odds(s) for s in assumed)
        self.log_likelihood = 0.0
        self.weight = 0.0  # normalised, set by `rank`
        self.reads: frozenset[Key] = frozenset()
        self._answers: dict[Question, Answered] = {}

    @property
    def score(self) -> float:
        """The logarithm of prior times likelihood."""
        return self.log_prior + self.log_likelihood

    def predict(self, question: Question) -> Distribution | None:
        """What this world answers."""
        return self._predicted(question)[0]

    def _predicted(self, question: Question) -> Answered:
        found = self._answers.get(question)
        if found is None:
            before = self.world.start()
            answer = probe(question.kind).predict(self.world, question)
            found = (answer, frozenset(self.world.reads))
            self._answers[question] = found
            self.world.reads |= before
        return found

    def inherit(self, parent: Hypothesis, changed: frozenset[Key]) -> None:
        """Take over the predictions of `parent` that read none of the changed leaves."""
        self._answers = {q: a for q, a in parent._answers.items() if not (a[1] & changed)}

    def judge(self, groups: tuple[Group, ...]) -> None:
        """Compute the likelihood of all sightings.

        Where the router's tie-break among equal routes, or who leads on layer 2, is open, every choice is walked: the
        likelihood is the mean, and the world becomes the one of the choice that fits best, so that all sightings are of
        one and the same choice.
        """
        self._judge_as_it_is(groups)
        flow = self.world.network.flow
        found: list[tuple[float, World, frozenset[Key], dict[Question, Answered]]] = []
        plain, answers = self.world, self._answers
        choices = [(PREFERRED.of("router"), node) for node in open_choice(plain, flow.service, flow.address)]
        choices += [(LEASE_HOLDER.of(flow.service), node) for node in open_leader(plain, flow.service)]
        for key, node in choices:
            self.world = plain.changed({key: node})
            self._answers = {q: a for q, a in answers.items() if key not in a[1]}
            self._judge_as_it_is(groups)
            found.append((self.log_likelihood, self.world, self.reads, self._answers))
        if found:
            best = max(found, key=lambda f: f[0])
            mean = sum(exp(f[0] - best[0]) for f in found) / len(found)
            self.log_likelihood, self.world, self.reads, self._answers = best[0] + log(mean), *best[1:]

    def _judge_as_it_is(self, groups: tuple[Group, ...]) -> None:
        total, reads = 0.0, set[Key]()
        for group in groups:
            fits, backgrounds, error = 1.0, 1.0, 1.0
            for sighting in group.sightings:
                answer, read = self._predicted(sighting.question)
                reads |= read
                background = background_of(sighting)
                fits *= chance(answer, sighting) if answer is not None else background
                backgrounds *= background
                error = min(error, trust.MISREPORT[sighting.trust])
            total += log((1 - error) * fits + error * backgrounds)
        self.log_likelihood, self.reads = total, frozenset(reads)


class Ranking(Struct, frozen=True):
    """Hypotheses by weight, the best first; weights and `residual` add up to 1."""

    hypotheses: tuple[Hypothesis, ...]
    residual: float
    groups: tuple[Group, ...]
    suspects: tuple[Suspect, ...]  # of the best variant's world, all presences
    bases: tuple[Hypothesis, ...]  # each variant's world with the present faults alone, the likeliest variant first


def chance(answer: Distribution, sighting: Sighting) -> float:
    """How likely a world with this prediction shows what was seen."""
    return max(sum(answer.get(a, 0.0) for a in sighting.answers), trust.LEAST)


def background_of(sighting: Sighting) -> float:
    """How likely the answer is where nothing is known."""
    table = probe(sighting.question.kind).BACKGROUND
    return min(sum(table.get(a, trust.BACKGROUND_FLOOR) for a in sighting.answers), 1.0)


def _odds(suspect: Suspect) -> float:
    p = suspect.fault.prior if suspect.prior is None else suspect.prior
    return log(p / (1 - p))


def rank(network: Network, groups: tuple[Group, ...], disabled: frozenset[str] = frozenset()) -> Ranking:
    """Rank all hypotheses; `disabled` faults count as having no effect (for tests of their worth)."""
    found: list[Hypothesis] = []
    families: list[tuple[Hypothesis, list[Hypothesis]]] = []
    best_suspects: tuple[float, tuple[Suspect, ...]] = (float("-inf"), ())
    for variant in variants(network):
        base, singles, suspects = _singles(network, variant, groups, disabled)
        families.append((base, singles))
        found += [base, *singles]
        top = max(h.score for h in (base, *singles))
        if top > best_suspects[0]:
            best_suspects = (top, suspects)
    found += _pairs(families, groups)
    residual = log(trust.RESIDUAL_PRIOR) + sum(log(background_of(s)) for group in groups for s in group.sightings)
    return _normalised(found, residual, groups, best_suspects[1], tuple(base for base, _ in families))


def _singles(
    network: Network, variant: Variant, groups: tuple[Group, ...], disabled: frozenset[str]
) -> tuple[Hypothesis, list[Hypothesis], tuple[Suspect, ...]]:
    world = World(network, dict(variant.changes))
    suspects = tuple(s for s in all_suspects(world) if s.fault.code not in disabled)
    present = tuple(s for s in suspects if s.presence is Presence.PRESENT)
    base = Hypothesis(world, (), present, variant.prior)
    base.judge(groups)
    unknown = [s for s in suspects if s.presence is Presence.UNKNOWN]
    singles = [h for s in unknown if (h := _with(base, s, groups, variant.prior)) is not None]
    return base, singles, suspects


def _with(parent: Hypothesis, suspect: Suspect, groups: tuple[Group, ...], prior: float) -> Hypothesis | None:
    """The parent with one more fault; None when the fault touches nothing that the parent's predictions read.

    Such a fault is as likely as before, and the parent already stands for the worlds with and without it.
    """
    changes = fault_module(suspect.fault.code).apply(parent.world, suspect)
    if not parent.reads & changes.keys():
        return None
    child = Hypothesis(parent.world.changed(changes), (*parent.assumed, suspect), parent.present, prior)
    keys = frozenset(changes)
    child.variant = parent.variant
    child.inherit(parent, keys)
    child.judge(groups)
    return child


def _pairs(families: list[tuple[Hypothesis, list[Hypothesis]]], groups: tuple[Group, ...]) -> list[Hypothesis]:
    """Two faults at once: the best singles of each variant with every other that could matter, best first.

    No pair can score more than its priors, as if it explained everything; one that could not come near the best single
    is not walked.
    """
    enough = max(h.score for base, singles in families for h in (base, *singles)) - WORTH_WALKING
    candidates = [
        (head.score + _odds(other.assumed[0]), head, other.assumed[0], exp(base.log_prior))
        for base, singles in families
        for head in sorted(singles, key=lambda h: -h.score)[:PAIR_HEADS]
        for other in singles
        if other.assumed[0].key != head.assumed[0].key and head.log_prior + _odds(other.assumed[0]) > enough
    ]
    candidates.sort(key=lambda c: (-c[0], c[1].assumed[0].key, c[2].key))
    done: set[tuple[object, ...]] = set()
    pairs: list[Hypothesis] = []
    for _, head, suspect, prior in candidates:
        key = (id(head.present), frozenset({head.assumed[0].key, suspect.key}))
        if key in done or len(pairs) >= PAIR_BUDGET:
            continue
        done.add(key)
        pair = _with(head, suspect, groups, prior)
        if pair is not None:
            pairs.append(pair)
    return pairs


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
