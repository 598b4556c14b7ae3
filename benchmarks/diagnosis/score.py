"""kubereach on broken clusters, judged by the faults that were put in. The only module that runs kubereach."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import log2
from random import Random

from benchmarks.diagnosis.generate.broken import Broken, make, several
from benchmarks.diagnosis.generate.faults import ALL
from benchmarks.diagnosis.generate.oracle import Oracle
from benchmarks.diagnosis.generate.render import everything
from benchmarks.diagnosis.generate.sample import KINDS, Files, as_files, sampled
from kubereach.errors import UnreadableError
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.diagnosis import Cause, Diagnosis, Role, Verdict
from kubereach.pipeline import Options, diagnose

CONFIDENT = 0.7
SURE = 0.9
MOST_ASKED = 15
SEVERAL = 0.2  # the share of clusters with two or three faults


@dataclass(frozen=True)
class Judged:
    """One diagnosis against the truth. Ranks are 1-based, 0 for not listed. `pairs`: (p, right) of every cause."""

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


def ask(files: Files) -> tuple[Diagnosis | None, float, float]:
    """(diagnosis, seconds of reading, seconds of the whole); None where nothing could be read."""
    documents = [Document(name, content) for name, content in files.items()]
    start = time.perf_counter()
    read_evidence(documents)
    middle = time.perf_counter()
    try:
        found = diagnose(documents, Options())
    except UnreadableError:
        found = None
    return found, middle - start, time.perf_counter() - middle


def judge(cluster: Broken, kind: str) -> Judged:
    """The diagnosis of one sample against the truth, counted by class, each class once."""
    found, reading, whole = ask(sampled(cluster, kind))
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
    return [judge(cluster, kind) for kind in KINDS]


def entropy(found: Diagnosis | None) -> float:
    """Bits of what the diagnosis leaves open, over classes and the residual."""
    if found is None:
        return 0.0
    masses = [*_claimed(found.causes).values(), found.residual]
    total = sum(masses)
    return -sum(m / total * log2(m / total) for m in masses if m > 0) if total > 0 else 0.0


def _sure(found: Diagnosis | None) -> bool:
    return bool(found and found.causes and found.causes[0].probability >= SURE)


def interview(seed: str, codes: Sequence[str]) -> Asked:
    """Ask what the program proposes, and then what a fixed checklist has, each from the same three outputs on."""
    cluster = broken(seed, codes)
    outputs = everything(cluster)
    start = sampled(cluster, "three")
    oracle = Oracle(outputs, cluster.site)
    first, _, _ = ask(start)
    bits = entropy(first)
    count, gains, last = _proposed(oracle, dict(start), first)
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
    mean = statistics.fmean(gains) if gains else 0.0
    bound = max(1.0, bits / mean) if mean else 1.0
    right = bool(last and last.causes and last.causes[0].class_ in cluster.classes)
    return Asked(seed, count, steps if _sure(found) else None, bound, right, gains)


def _proposed(
    oracle: Oracle, files: Files, found: Diagnosis | None
) -> tuple[int | None, list[float], Diagnosis | None]:
    """How many answers it took, and the gain that the best offer promised each time."""
    gains: list[float] = []
    asked: set[tuple[str, str]] = set()
    while not _sure(found):
        new: Files = {}
        for probe in found.next_probes if found else ():
            if (probe.where, probe.command) in asked:
                continue
            asked.add((probe.where, probe.command))
            new = {n: t for n, t in as_files(oracle.answer(probe.where, probe.command)).items() if n not in files}
            if new:
                gains.append(max(p.gain_bits for p in found.next_probes) if found else 0.0)
                break
        if not new or len(gains) > MOST_ASKED:
            return None, gains, found
        files |= new
        found, _, _ = ask(files)
    return len(gains), gains, found
