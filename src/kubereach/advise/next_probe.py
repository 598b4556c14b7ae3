"""The next question worth asking: the highest expected information about the causes, per cost.

Each hypothesis predicts the answer; what the answer is expected to tell about the root causes is its mutual information
with them, in bits. "Something that is not in the catalogue" takes part: it predicts what is usual, and so does a
hypothesis that says nothing of a question. Answers that read alike on the screen are one answer, and an answer may be
wrong as any program output may. One output often answers several questions (a router's table, a capture), and is worth
what they tell together. The cost is a person's time: the seconds of the command, of getting the right to it, and of
carrying command and answer to and fro.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from msgspec import Struct

from kubereach.advise.information import bits, table
from kubereach.advise.setting_asks import KUBECTL, SECONDS, SettingAsk, setting_asks
from kubereach.diagnose import trust
from kubereach.diagnose.fault import Suspect
from kubereach.diagnose.hypothesis import Hypothesis
from kubereach.diagnose.observe import Group, probe
from kubereach.diagnose.roles import Judged, likeness
from kubereach.model.diagnosis import Answer, NextProbe, Role
from kubereach.model.fact import Trust
from kubereach.model.network import Network
from kubereach.probes._index import PROBES
from kubereach.probes.question import Distribution, Offer

MOST_PROBES = 5
MOST_SEPARATED = 4
LEAST_GAIN = 0.05
LEAST_PART = 0.01  # of a question that an output answers among others
LEAST_TOLD = 0.08  # an answer's causes below this share are not named
LEAST_ANSWER = 0.03  # nor are answers that are less likely than this
MOST_ANSWERS = 4
# What a login costs besides the seconds: asking somebody, finding the password.
PRIVILEGE_COST = {"none": 0.0, "exec": 15.0, "router": 10.0, "root": 40.0}
# What every question costs: to find the terminal, copy the command, wait, copy what it printed.
HANDLING = 30.0
MOST_TOGETHER = 3  # questions whose answers one output is taken to give at once
NOTHING = "nothing wrong"
UNKNOWN = "something that kubereach does not know"

MOST_ALIKE = 4  # of hypotheses that differ only in which of like nodes is meant: these answer for the rest

Labelled = list[tuple[Hypothesis, str]]


class Portion(Struct, frozen=True):
    """A part of the mass with one label; what it answers is what most of its hypotheses do."""

    weight: float
    label: str
    hypotheses: tuple[Hypothesis, ...]


Portions = tuple[Portion, ...]


class Candidate(Struct, frozen=True):
    """A command somebody could run, and what each hypothesis says that it prints; `seconds` include getting there."""

    where: str
    command: str
    seconds: float
    privilege: str
    risk: str
    predict: Callable[[Hypothesis], Distribution | None]
    usual: Distribution  # what is printed where nothing is known
    words: Callable[[str], str]


class Valued(Struct, frozen=True):
    """A candidate with its joint table of answers and labels, and the bits that its output is expected to give.

    The output may answer more than the candidate asks, so that the bits are not those of the table alone.
    """

    candidate: Candidate
    joint: Mapping[str, Mapping[str, float]]
    gain: float

    @property
    def order(self) -> tuple[bool, float, str]:
        """Sorts the best first: what only reads before what changes anything, then by bits per second."""
        seconds = self.candidate.seconds + HANDLING
        return (self.candidate.risk != "none", -round(self.gain / seconds, 9), self.candidate.command)


def next_probes(
    network: Network, judged: Judged, groups: tuple[Group, ...], residual: float, most: int = MOST_PROBES
) -> tuple[NextProbe, ...]:
    """The best questions that the evidence does not answer yet, the best first.

    Where several hosts could be asked the same, the others come last: they matter where the best cannot answer.
    """
    labelled = [(h, blame(found)) for h, found in judged]
    best = valued(candidates(network, groups), labelled, residual)
    first = {found.candidate.command: found for found in reversed(best)}
    others = [found for found in best if first[found.candidate.command] is not found]
    chosen = [*(found for found in best if found not in others), *others][:most]
    return tuple(_described(found, labelled) for found in chosen)


def candidates(network: Network, groups: tuple[Group, ...]) -> tuple[Candidate, ...]:
    """Every question that could be asked and is not answered yet."""
    asked = {s.question for group in groups for s in group.sightings}
    offers = [o for kind in PROBES for o in probe(kind).offers(network) if o.question not in asked]
    return (*map(_of_offer, offers), *map(_of_setting, setting_asks(network)))


def valued(found: Iterable[Candidate], labelled: Labelled, residual: float) -> list[Valued]:
    """The candidates that tell enough about the labels of the hypotheses, best first, one for each command and host."""
    by_command: dict[tuple[str, str], list[Valued]] = {}
    portions = _portions(labelled)
    for candidate in found:
        joint = _joint([candidate], portions, residual)
        one = Valued(candidate, joint, bits(joint))
        if one.gain >= LEAST_PART:
            by_command.setdefault((candidate.where, candidate.command), []).append(one)
    best = [_together(group, portions, residual) for group in by_command.values()]
    return sorted((one for one in best if one.gain >= LEAST_GAIN), key=lambda v: v.order)


def _portions(labelled: Labelled) -> Portions:
    """Each hypothesis by itself, and together those that are like `MOST_ALIKE` others.

    A fault at one of fifty like nodes would have each question worked out fifty times. What the rest of them answer is
    what most of those do that were kept: a question about one node is answered alike by the faults of all the others.
    """
    strata: dict[Hashable, list[tuple[Hypothesis, str]]] = {}
    for hypothesis, label in labelled:
        strata.setdefault((label, likeness(hypothesis)), []).append((hypothesis, label))
    portions: list[Portion] = []
    for members in strata.values():
        portions += (Portion(h.weight, label, (h,)) for h, label in members[:MOST_ALIKE])
        if rest := members[MOST_ALIKE:]:
            kept = tuple(h for h, _ in members[:MOST_ALIKE])
            portions.append(Portion(sum(h.weight for h, _ in rest), rest[0][1], kept))
    return tuple(portions)


def _together(group: list[Valued], portions: Portions, residual: float) -> Valued:
    """The best of the questions that one output answers, with the bits of the best few together."""
    ranked = sorted(group, key=lambda v: (-round(v.gain, 9), v.candidate.seconds))
    first = ranked[0]
    if len(ranked) == 1:
        return first
    several = bits(_joint([v.candidate for v in ranked[:MOST_TOGETHER]], portions, residual))
    return Valued(first.candidate, first.joint, max(several, first.gain))


def blame(found: Mapping[Suspect, Role]) -> str:
    """The root causes of a hypothesis as one label."""
    codes = sorted(s.fault.code for s, r in found.items() if r in {Role.ROOT, Role.MISREAD})
    return "+".join(dict.fromkeys(codes)) or NOTHING


def _of_offer(offer: Offer) -> Candidate:
    return Candidate(
        where=offer.where,
        command=offer.command,
        seconds=offer.cost + PRIVILEGE_COST.get(offer.privilege, 0.0),
        privilege=offer.privilege,
        risk=offer.risk,
        predict=lambda hypothesis: hypothesis.predict(offer.question),
        usual=probe(offer.question.kind).BACKGROUND,
        words=lambda answer: offer.words.get(answer, answer),
    )


def _of_setting(ask: SettingAsk) -> Candidate:
    known: dict[str, Distribution] = {}  # one object for each answer, as a probe's predictions are

    def predict(hypothesis: Hypothesis) -> Distribution:
        answer = ask.words(hypothesis.world.value(ask.key))
        return known.setdefault(answer, {answer: 1.0})

    return Candidate(
        where=KUBECTL,
        command=ask.command,
        seconds=SECONDS,
        privilege="none",
        risk="none",
        predict=predict,
        usual={},
        words=lambda answer: answer,
    )


def _joint(candidates: Sequence[Candidate], portions: Portions, residual: float) -> dict[str, dict[str, float]]:
    """The joint mass of what is read on the screen and the labels, the unknown among them.

    Several questions are independent of each other in any one world.
    """
    every = [_answers(candidate, portions) for candidate in candidates]
    if not all(every):
        return {}
    weights = [*((portion.weight, portion.label) for portion in portions), (residual, UNKNOWN)]
    # Most hypotheses share their predictions, as the very same objects: what is made of them is made once.
    alike: dict[tuple[str, tuple[int, ...]], float] = {}
    answers: dict[tuple[int, ...], tuple[Distribution, ...]] = {}
    for (weight, label), mine in zip(weights, zip(*every, strict=True), strict=True):
        same = tuple(map(id, mine))
        alike[label, same] = alike.get((label, same), 0.0) + weight
        answers[same] = mine
    read = {same: _shown(candidates, mine) for same, mine in answers.items()}
    return table((weight, label, read[same]) for (label, same), weight in alike.items())


def _shown(candidates: Sequence[Candidate], answers: Sequence[Distribution]) -> Distribution:
    """What is read on the screen when each candidate gives its answer."""
    combined: Distribution = {"": 1.0}
    for candidate, mine in zip(candidates, answers, strict=True):
        combined = _product(combined, _read(mine, candidate.words))
    return combined


def _answers(candidate: Candidate, portions: Portions) -> list[Distribution]:
    """What each portion, and last the unknown, says that the candidate shows; empty where none says anything."""
    predicted = [(portion.weight, portion.label, _commonest(portion, candidate)) for portion in portions]
    usual = _usual(candidate, predicted)
    if not usual:
        return []
    error = trust.MISREPORT[Trust.OUTPUT]
    noisy = {id(p): p for *_, p in predicted if p}
    mine = {same: _noisy(p, usual, error) for same, p in noisy.items()}
    return [*(mine[id(p)] if p else usual for *_, p in predicted), usual]


def _commonest(portion: Portion, candidate: Candidate) -> Distribution | None:
    given = [candidate.predict(hypothesis) for hypothesis in portion.hypotheses]
    return max(given, key=given.count)


def _product(one: Distribution, other: Distribution) -> Distribution:
    return {f"{a}; {b}" if a else b: p * q for a, p in one.items() for b, q in other.items()}


def _usual(candidate: Candidate, predicted: list[tuple[float, str, Distribution | None]]) -> Distribution:
    """What is usual among the answers that any hypothesis gives: a probe's background serves several questions.

    Without a background it is what the hypotheses say together, which tells nothing about any of them.
    """
    given: dict[str, float] = {}
    for weight, _, answers in predicted:
        for answer, p in (answers or {}).items():
            if p > 0:
                given[answer] = given.get(answer, 0.0) + weight * p
    known = {a: candidate.usual.get(a, trust.BACKGROUND_FLOOR) for a in given} if candidate.usual else given
    return _scaled(known)


def _scaled(answers: Distribution) -> Distribution:
    total = sum(answers.values())
    return {a: p / total for a, p in answers.items()} if total > 0 else {}


def _noisy(answers: Distribution, usual: Distribution, error: float) -> Distribution:
    mine = _scaled(answers)
    return {a: (1 - error) * mine.get(a, 0.0) + error * usual.get(a, 0.0) for a in {**mine, **usual}}


def _read(answers: Distribution, words: Callable[[str], str]) -> Distribution:
    found: dict[str, float] = {}
    for answer, p in answers.items():
        found[words(answer)] = found.get(words(answer), 0.0) + p
    return found


def _described(found: Valued, labelled: Labelled) -> NextProbe:
    total = sum(sum(row.values()) for row in found.joint.values()) or 1.0
    shares = sorted(found.joint.items(), key=lambda item: (-round(sum(item[1].values()), 9), item[0]))
    told = [(answer, row) for answer, row in shares if sum(row.values()) / total >= LEAST_ANSWER][:MOST_ANSWERS]
    separated: list[str] = []
    answers = []
    for answer, row in told:
        mass = sum(row.values())
        ranked = sorted(row.items(), key=lambda item: (-round(item[1], 9), item[0]))
        leading = [(label, p / mass) for label, p in ranked if p / mass >= LEAST_TOLD][:2]
        separated += [code for label, _ in leading[:1] for code in _codes(label)]
        implies = "; ".join(f"{label.replace('+', ' and ')} ({p:.0%})" for label, p in leading)
        answers.append(Answer(answer=answer, implies=implies))
    return NextProbe(
        where=found.candidate.where,
        command=found.candidate.command,
        separates=tuple(dict.fromkeys((*separated, *_leading(labelled))))[:MOST_SEPARATED],
        gain_bits=round(found.gain, 3),
        cost_seconds=found.candidate.seconds + HANDLING,
        privilege=found.candidate.privilege,
        risk=found.candidate.risk,
        if_answer=tuple(answers),
    )


def _codes(label: str) -> list[str]:
    return [] if label in {NOTHING, UNKNOWN} else label.split("+")


def _leading(labelled: Labelled) -> Iterable[str]:
    weights: dict[str, float] = {}
    for hypothesis, label in labelled:
        for code in _codes(label):
            weights[code] = weights.get(code, 0.0) + hypothesis.weight
    return sorted(weights, key=lambda code: (-round(weights[code], 9), code))
