"""kubereach on broken clusters, judged by the faults that were put in. The only module that runs kubereach."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import log2
from random import Random

from benchmarks.diagnosis.generate.broken import Broken, make, several
from benchmarks.diagnosis.generate.ceiling import ceiling
from benchmarks.diagnosis.generate.faults import ALL
from benchmarks.diagnosis.generate.oracle import Oracle
from benchmarks.diagnosis.generate.render import everything
from benchmarks.diagnosis.generate.sample import KINDS, PARTS, Files, as_files, complaint, sampled
from kubereach.advise.collect import Item
from kubereach.advise.interview import next_item
from kubereach.advise.next_probe import MOST_PROBES
from kubereach.errors import UnreadableError
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.diagnosis import Cause, Diagnosis, Role, Verdict
from kubereach.pipeline import Options, diagnose

CONFIDENT = 0.7
SURE = 0.9
MOST_ASKED = 15
OFFERED = 40  # questions that whoever asks has at hand, as `diagnose --interactive` has
FIRST_ASKED = 3
SAMPLES = (*KINDS, "asked")
TOLD = 3  # classes that a short list holds
SEVERAL = 0.2  # the share of clusters with two or three faults


@dataclass(frozen=True)
class Judged:
    """One diagnosis against the truth. Ranks are 1-based, 0 for not listed. `pairs`: (p, right) of every cause.

    `best` is how often three classes can hold the truth at most, of a sample that is a part of the evidence.
    """

    seed: str
    kind: str
    stack: str
    codes: tuple[str, ...]
    truth: frozenset[str]
    first: str
    p: float
    rank: int
    rank_by_code: int
    pairs: tuple[tuple[float, bool], ...]
    reading: float
    whole: float
    best: float = 1.0

    @property
    def wrong(self) -> bool:
        """A first cause of a wrong class at 0.7 or more."""
        return bool(self.first) and self.rank != 1 and self.p >= CONFIDENT


@dataclass
class Asked:
    """Questions until a cause has 0.9, from three outputs on. `bound`: bits at the start by the best offers' mean."""

    seed: str
    probes: int | None
    checklist: int | None
    bound: float
    right: bool
    gains: list[float] = field(default_factory=list)


def plan(runs: int, seed: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(seed of the cluster, its faults): the catalogue in turn, a fifth of them with one or two more faults."""
    rng = Random(f"plan/{seed}")
    codes: list[str] = []
    for i in range(runs):
        if not codes:
            codes = sorted(ALL)
            rng.shuffle(codes)
        first = codes.pop()
        chosen = several(rng, first) if rng.random() < SEVERAL else (first,)
        yield f"{seed}/{i}", chosen


def broken(seed: str, codes: Sequence[str]) -> Broken:
    """The cluster; where its faults hide each other, the one with the first of them."""
    try:
        return make(seed, codes)
    except LookupError:
        return make(seed, codes[:1])


def ask(files: Files, most_probes: int = 0) -> tuple[Diagnosis | None, float, float]:
    """(diagnosis, seconds of reading, seconds of the whole); None where nothing could be read."""
    documents = [Document(name, content) for name, content in files.items()]
    start = time.perf_counter()
    read_evidence(documents)
    middle = time.perf_counter()
    try:
        found = diagnose(documents, Options(), most_probes=most_probes or MOST_PROBES)
    except UnreadableError:
        found = None
    return found, middle - start, time.perf_counter() - middle


def judge(cluster: Broken, kind: str) -> Judged:
    """The diagnosis of one sample against the truth, counted by class, each class once."""
    found, reading, whole = ask(files_of(cluster, kind))
    causes = found.causes if found else ()
    classes = list(dict.fromkeys(c.class_ for c in causes))
    codes = list(dict.fromkeys(c.code for c in causes))
    ranks = [i + 1 for i, name in enumerate(classes) if name in cluster.classes]
    if found and not classes and found.verdict is Verdict.REACHABLE and cluster.codes == ("misread-expected",):
        ranks = [1]  # nothing was broken, and nothing is said to be
    by_code = [i + 1 for i, code in enumerate(codes) if code in cluster.codes]
    return Judged(
        seed=cluster.seed,
        kind=kind,
        stack=cluster.site.stack,
        codes=cluster.codes,
        truth=cluster.classes,
        first=classes[0] if classes else "",
        p=causes[0].probability if causes else 0.0,
        rank=ranks[0] if ranks else 0,
        rank_by_code=by_code[0] if by_code else 0,
        pairs=tuple((p, name in cluster.classes) for name, p in _claimed(causes).items()),
        reading=reading,
        whole=whole,
    )


def _claimed(causes: Sequence[Cause]) -> dict[str, float]:
    """Every class that is claimed as a root or a misreading, with its likeliest cause."""
    found: dict[str, float] = {}
    for cause in causes:
        if cause.role in {Role.ROOT, Role.MISREAD}:
            found[cause.class_] = max(found.get(cause.class_, 0.0), cause.probability)
    return found


def judge_all(seed: str, codes: Sequence[str]) -> list[Judged]:
    """Every sample of one cluster."""
    cluster = broken(seed, codes)
    found = [judge(cluster, kind) for kind in SAMPLES]
    return [replace(j, best=ceiling(cluster, j.kind, TOLD)) if j.kind in PARTS else j for j in found]


def files_of(cluster: Broken, kind: str) -> Files:
    """A sample's files. `asked`: the complaint, and what the program's own first questions are answered."""
    if kind != "asked":
        return sampled(cluster, kind)
    outputs = everything(cluster)
    start = as_files(complaint(outputs, cluster.site))
    found, _, _ = ask(start, OFFERED)
    return Interview(Oracle(outputs, cluster.site), start, found).run(FIRST_ASKED).files


def entropy(found: Diagnosis | None) -> float:
    """Bits of what the diagnosis leaves open, over classes and the residual."""
    if found is None:
        return 0.0
    masses = [*_claimed(found.causes).values(), found.residual]
    total = sum(masses)
    return -sum(m / total * log2(m / total) for m in masses if m > 0) if total > 0 else 0.0


def _sure(found: Diagnosis | None) -> bool:
    return bool(found and found.causes and found.causes[0].probability >= SURE)


@dataclass
class Interview:
    """Questions and answers: all files so far, the last diagnosis, and what the best offer promised each time."""

    oracle: Oracle
    files: Files
    found: Diagnosis | None
    gains: list[float] = field(default_factory=list)
    done: list[Item] = field(default_factory=list)
    skipped: list[Item] = field(default_factory=list)

    def run(self, most: int) -> Interview:
        """Ask until a cause is sure, nothing that can be answered is left, or `most` answers were given."""
        while not _sure(self.found) and len(self.gains) < most:
            if not (new := self._answer()):
                break
            self.gains.append(max((p.gain_bits for p in self.found.next_probes), default=0.0) if self.found else 0.0)
            self.files = {**self.files, **new}
            self.found, _, _ = ask(self.files, OFFERED)
        return self

    def _answer(self) -> Files:
        """The answer to the first question that can be answered with something new."""
        while self.found and (item := next_item(self.found, self.done, self.skipped)) is not None:
            self.done.append(item)
            answered = as_files(self.oracle.answer(item.where, item.command))
            if new := {name: text for name, text in answered.items() if name not in self.files}:
                return new
            self.skipped.append(item)
        return {}


def interview(seed: str, codes: Sequence[str]) -> Asked:
    """Ask what the program proposes, and then what a fixed checklist has, each from the same three outputs on."""
    cluster = broken(seed, codes)
    start = sampled(cluster, "three")
    oracle = Oracle(everything(cluster), cluster.site)
    first, _, _ = ask(start, OFFERED)
    bits = entropy(first)
    asked = Interview(oracle, start, first).run(MOST_ASKED)
    steps = 0
    files, found = dict(start), first
    for step in oracle.checklist():
        new = {name: text for name, text in as_files(step).items() if name not in files}
        if _sure(found) or steps >= 2 * MOST_ASKED:
            break
        if new:
            steps += 1
            files |= new
            found, _, _ = ask(files)
    gains, last = asked.gains, asked.found
    mean = statistics.fmean(gains) if gains else 0.0
    bound = max(1.0, bits / mean) if mean else 1.0
    right = bool(last and last.causes and last.causes[0].class_ in cluster.classes)
    return Asked(seed, len(gains) if _sure(last) else None, steps if _sure(found) else None, bound, right, gains)
