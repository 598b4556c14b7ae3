"""A hypothesis: a set of assumed faults in a variant's world, and how well that world shows what was seen."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from math import exp, inf, log
from typing import cast

from msgspec import Struct

from kubereach.diagnose import trust
from kubereach.diagnose.fault import Suspect
from kubereach.diagnose.observe import Group, probe
from kubereach.model.attribute import LEASE_HOLDER, PREFERRED, Key
from kubereach.probes.question import Distribution, Question, Sighting
from kubereach.simulate.announced import has_local, open_leader
from kubereach.simulate.bgp import open_choice
from kubereach.simulate.session import session_ways
from kubereach.simulate.world import Changes, World

Chosen = tuple[Key, str]  # PREFERRED or LEASE_HOLDER, and a node


class Judgement(Struct, frozen=True):
    """How well one group of sightings fits a world.

    `log_likelihood` is of the group in this world, `most` the highest that any world could give it, and `reads` the
    leaves that it depends on: a fault that changes none of them changes nothing about it.
    """

    log_likelihood: float
    most: float
    reads: frozenset[Key]


class Hypothesis:
    """A set of assumed faults in a variant's world, with what it predicts."""

    def __init__(self, world: World, assumed: tuple[Suspect, ...], present: tuple[Suspect, ...], prior: float) -> None:
        self.world, self.assumed, self.present = world, assumed, present
        self.plain = world  # before any choice among equals; `world` is that of the choice which fits best
        self.variant: Changes = world.changes if not assumed else {}  # what is no fault of it
        self.log_prior = log(prior) + sum(s.log_odds for s in assumed)
        self.log_likelihood = 0.0
        self.weight = 0.0  # normalised, set by `rank`
        self.judgements: tuple[Judgement, ...] = ()
        self._here: tuple[Judgement, ...] = ()  # in `world` alone, where `judgements` are the best of all choices

    @property
    def score(self) -> float:
        """The logarithm of prior times likelihood."""
        return self.log_prior + self.log_likelihood

    def predict(self, question: Question) -> Distribution | None:
        """What this world answers."""
        world = self.world
        name = ("answer", question)
        kept = cast("tuple[Distribution | None] | None", world.cached(name))
        if kept is None:
            before = world.start()
            kept = (probe(question.kind).predict(world, question),)
            world.keep(name, kept, before)
        return kept[0]

    def with_fault(self, suspect: Suspect, changes: Changes) -> Hypothesis:
        """The same with one more fault; what is chosen among equals may be another in it."""
        child = Hypothesis(self.plain.changed(changes), (*self.assumed, suspect), self.present, 1.0)
        child.log_prior = self.log_prior + suspect.log_odds
        child.variant = self.variant
        return child

    def judge(self, groups: tuple[Group, ...], parent: Hypothesis | None = None, least: float = -inf) -> bool:
        """Compute the likelihood of all sightings; what the change from `parent` does not touch is taken from it.

        False where it turns out on the way that the score is below `least`: then the rest is not walked, and the
        judgements are the parent's where they were not needed.

        Where it is open in which way a session fault works, which of equal routes the router's tie-break prefers, or
        who leads on layer 2, the likelihood is the mean over the choices, and the world becomes the one of the choice
        that fits best, so that all sightings are of one and the same choice.
        """
        choices = self._choices(parent)
        if parent and all(self._falls_short(groups, parent, world, least) for _, world in choices):
            return False
        found: list[tuple[float, float, World, tuple[Judgement, ...]]] = []
        known, of = (parent._here, parent.world) if parent else ((), self.plain)
        for share, world in choices:
            self.world = world
            judged = self._judged(groups, known, world.differs(of))
            found.append((sum(j.log_likelihood for j in judged), share, world, judged))
            known, of = judged, world
        best, _, self.world, self._here = max(found, key=lambda f: f[0])
        self.log_likelihood = best + log(sum(share * exp(fits - best) for fits, share, *_ in found))
        self.judgements = tuple(_either(each) for each in zip(*(f[3] for f in found), strict=True))
        return True

    def _falls_short(self, groups: tuple[Group, ...], parent: Hypothesis, world: World, least: float) -> bool:
        """Whether the score is below `least` in this world, whatever the groups say that are not looked at any more.

        What fits badly in the parent comes first: most faults mend nothing of it, and cost their prior.
        """
        changed, known = world.differs(parent.world), list(parent._here)
        touched = [n for n, judgement in enumerate(known) if not judgement.reads.isdisjoint(changed)]
        touched.sort(key=lambda n: known[n].log_likelihood - known[n].most)
        most = self.log_prior + sum(j.log_likelihood for j in known)
        most += sum(known[n].most - known[n].log_likelihood for n in touched)
        self.world = world
        for n in touched:
            if most < least:
                break
            known[n] = self._group(n, groups[n])
            most += known[n].log_likelihood - known[n].most
        self.judgements = tuple(known)
        return most < least

    def _choices(self, parent: Hypothesis | None) -> list[tuple[float, World]]:
        """The worlds of what is open, each with its share: in which way a session fault works, and who is chosen."""
        ways = session_ways(self.plain) or (({}, 1.0),)
        return [
            (share * part, world)
            for changes, share in ways
            for part, world in self._among_equals(self.plain.changed(changes), parent)
        ]

    def _among_equals(self, plain: World, parent: Hypothesis | None) -> list[tuple[float, World]]:
        """The worlds of an open choice, each with its share; a fault at one node makes a difference there alone.

        A fault of the whole cluster may tell a node that runs a pod from one that passes the packets on.
        """
        flow = plain.network.flow
        choices = [(PREFERRED.of("router"), node) for node in open_choice(plain, flow.service, flow.address)]
        choices += [(LEASE_HOLDER.of(flow.service), node) for node in open_leader(plain, flow.service)]
        if not choices:
            return [(1.0, plain)]
        shares = dict.fromkeys(choices, 1 / len(choices))
        usual = next((c for c in choices if parent and parent.world.changes.get(c[0]) == c[1]), None)
        if usual and self.assumed[-1].subject.startswith(("cluster", "service/")):
            shares = self._by_place(plain, choices, usual)
        elif usual:  # of those that the fault opens, every one may be chosen
            touched = [c for c in choices if c[1] == self.assumed[-1].subject and c != usual]
            shares = {usual: 1 - len(touched) / len(choices)} | dict.fromkeys(touched, 1 / len(choices))
        return [(share, plain.changed({key: node})) for (key, node), share in shares.items()]

    def _by_place(self, plain: World, choices: list[Chosen], usual: Chosen) -> dict[Chosen, float]:
        """Of the nodes with a pod, and of those without, one stands for all: the usual one, or the first."""
        service = plain.network.flow.service
        shares: dict[Chosen, float] = {}
        for local in (True, False):
            alike = [c for c in choices if has_local(plain, service, c[1]) is local]
            if alike:
                shares[usual if usual in alike else alike[0]] = len(alike) / len(choices)
        return shares

    def _judged(
        self, groups: tuple[Group, ...], known: tuple[Judgement, ...], changed: AbstractSet[Key]
    ) -> tuple[Judgement, ...]:
        if not known:
            return tuple(self._group(number, group) for number, group in enumerate(groups))
        return tuple(
            found if found.reads.isdisjoint(changed) else self._group(number, group)
            for (number, group), found in zip(enumerate(groups), known, strict=True)
        )

    def _group(self, number: int, group: Group) -> Judgement:
        world = self.world
        name = ("group", number)
        kept = cast("Judgement | None", world.cached(name))
        if kept is None:
            before = world.start()
            kept = self._weighed(group)
            world.keep(name, kept, before)
        return kept

    def _weighed(self, group: Group) -> Judgement:
        fits, backgrounds, error = 1.0, 1.0, 1.0
        for sighting in group.sightings:
            answer = self.predict(sighting.question)
            background = background_of(sighting)
            fits *= chance(answer, sighting) if answer is not None else background
            backgrounds *= background
            error = min(error, trust.MISREPORT[sighting.trust])
        likelihood = log((1 - error) * fits + error * backgrounds)
        return Judgement(likelihood, log(1 - error + error * backgrounds), self.world.record())


def _either(judgements: tuple[Judgement, ...]) -> Judgement:
    """One group over several choices: as good as in the best of them, and dependent on what any of them read."""
    first = judgements[0]
    if all(other is first for other in judgements):
        return first
    reads = frozenset[Key]().union(*(j.reads for j in judgements))
    return Judgement(max(j.log_likelihood for j in judgements), first.most, reads)


def chance(answer: Distribution, sighting: Sighting) -> float:
    """How likely a world with this prediction shows what was seen."""
    return max(sum(answer.get(a, 0.0) for a in sighting.answers), trust.LEAST)


def background_of(sighting: Sighting) -> float:
    """How likely the answer is where nothing is known."""
    table = probe(sighting.question.kind).BACKGROUND
    return min(sum(table.get(a, trust.BACKGROUND_FLOOR) for a in sighting.answers), 1.0)
