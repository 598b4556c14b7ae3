"""docs/accuracy.md from the judged runs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

from benchmarks.diagnosis.generate.sample import PARTS
from benchmarks.diagnosis.score import SAMPLES, Asked, Judged

HEAD = """# Accuracy

How often kubereach names the fault that was put in. Written by `make accuracy RUNS={runs} SEED={seed}`; do not edit.

The clusters are drawn by `benchmarks/diagnosis/generate`, which shares no code with kubereach: it breaks a drawn
cluster on purpose and prints what BIRD, FRR, kube-proxy, MetalLB, the kernel and the routers print in that state. The
truth is the fault that was put in. It is a benchmark of plausible clusters and not of real ones: where the generator's
idea of a program is wrong, a miss may be its fault. Faults are drawn evenly, so that rare ones count as much as common
ones; a fifth of the clusters has two or three.

- `full`: everything a capable person would collect. `post`: a forum post of five to nine outputs with prose in one of
  four languages. `three`: the complaint and three outputs, drawn by habit and symptom, whether or not they can tell.
  `lie`: all, with one misreported test or one output from before the fault. `asked`: the complaint and the answers to
  the first three questions that kubereach itself asks, which is what somebody who follows it has.
- top-1, top-3: a class of the truth is first, or among the first three classes. By code: the finer name.
- confidently wrong: the first cause is of a wrong class and has 0.7 or more.
- top-3 at best: what nobody can beat. Each other single fault is put into the same cluster, and where it prints the
  very same outputs, three classes out of all those that do is all that can be named.
"""


class Sums:
    """The judged runs, and shares of them."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self.judged = judged

    def of(self, kind: str) -> list[Judged]:
        return [j for j in self.judged if not kind or j.kind == kind]

    def rate(self, kind: str, holds: Callable[[Judged], bool]) -> float:
        chosen = self.of(kind)
        return sum(1 for j in chosen if holds(j)) / max(1, len(chosen))


GOALS: tuple[tuple[str, str, Callable[[Sums], float], Callable[[float], bool]], ...] = (
    ("full evidence, top-1", "≥ 97 %", lambda s: s.rate("full", lambda j: j.rank == 1), lambda v: v >= 0.97),
    ("three outputs, top-3", "≥ 85 %", lambda s: s.rate("three", lambda j: 1 <= j.rank <= 3), lambda v: v >= 0.85),
    ("confidently wrong, all samples", "≤ 0.1 %", lambda s: s.rate("", lambda j: j.wrong), lambda v: v <= 0.001),
    (
        "what one false observation costs",
        "≤ 5 points",
        lambda s: s.rate("full", lambda j: j.rank == 1) - s.rate("lie", lambda j: j.rank == 1),
        lambda v: v <= 0.05,
    ),
)


def percent(value: float) -> str:
    return f"{value * 100:.1f} %"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]) + "\n"


def written(judged: Sequence[Judged], asked: Sequence[Asked], runs: int, seed: str) -> str:
    """The whole page."""
    sums = Sums(judged)
    parts = [HEAD.format(runs=runs, seed=seed), "## Goals\n", _goals(sums, asked), "## Samples\n", _samples(sums)]
    parts += ["## Calibration\n", _calibration(sums), "## Questions\n", _questions(asked), "## Time\n", _times(sums)]
    parts += ["## Confidently wrong\n", _sure_and_wrong(sums)]
    parts += ["## By stack\n", _grouped(sums, lambda j: (j.stack,)), "## By fault\n", _worst(sums)]
    parts.append(_grouped(sums, lambda j: j.codes[:1] if len(j.codes) == 1 else ("(several)",)))
    return "\n".join(parts)


def _goals(sums: Sums, asked: Sequence[Asked]) -> str:
    rows: list[tuple[str, str, str, str]] = []
    for name, goal, value, reached in GOALS:
        found = value(sums)
        rows.append((name, goal, percent(found), "reached" if reached(found) else "missed"))
    both = [a for a in asked if a.probes]
    if both:
        ratio = statistics.fmean((a.probes or 0) / a.bound for a in both)
        rows.append(
            ("questions by the entropy bound", "≤ 1.5", f"{ratio:.2f}", "reached" if ratio <= 1.5 else "missed")
        )
    pairs = [a for a in asked if a.probes and a.checklist]
    if pairs:
        ratio = sum(a.probes or 0 for a in pairs) / sum(a.checklist or 0 for a in pairs)
        rows.append(("questions by the checklist's", "≤ 0.5", f"{ratio:.2f}", "reached" if ratio <= 0.5 else "missed"))
    return table(("goal", "wanted", "found", ""), rows)


def _samples(sums: Sums) -> str:
    rows = []
    for kind in SAMPLES:
        rows.append(
            (
                kind,
                len(sums.of(kind)),
                percent(sums.rate(kind, lambda j: j.rank == 1)),
                percent(sums.rate(kind, lambda j: 1 <= j.rank <= 3)),
                percent(sums.rate(kind, lambda j: j.rank_by_code == 1)),
                percent(sums.rate(kind, lambda j: 1 <= j.rank_by_code <= 3)),
                percent(sums.rate(kind, lambda j: j.wrong)),
                percent(statistics.fmean(j.best for j in sums.of(kind))) if kind in PARTS else "",
            )
        )
    head = ("sample", "runs", "top-1", "top-3", "top-1 by code", "top-3 by code", "confidently wrong", "top-3 at best")
    return table(head, rows)


def _sure_and_wrong(sums: Sums) -> str:
    rows = [(f"`{j.seed}`", j.kind, ", ".join(j.codes), j.first, f"{j.p:.2f}") for j in sums.judged if j.wrong]
    return table(("seed", "sample", "truth", "said", "probability"), rows)


def _calibration(sums: Sums) -> str:
    """Of the classes that were given p in a decile, how many are true; single faults only, where one is the truth."""
    rows = []
    pairs = [(pair, j.kind) for j in sums.judged for pair in j.pairs]
    for low in range(10):
        inside = [(p, right) for (p, right), _ in pairs if low / 10 <= p < (low + 1) / 10 or (low == 9 and p == 1.0)]
        if inside:
            mean = statistics.fmean(p for p, _ in inside)
            true = sum(1 for _, right in inside if right) / len(inside)
            rows.append((f"{low / 10:.1f}–{(low + 1) / 10:.1f}", len(inside), percent(mean), percent(true)))
    text = (
        "Of the classes that were claimed with a probability in each decile, how many are the truth (all samples).\n\n"
    )
    return text + table(("probability", "claims", "mean probability", "true"), rows)


def _questions(asked: Sequence[Asked]) -> str:
    if not asked:
        return "Not measured.\n"
    reached = [a for a in asked if a.probes is not None]
    listed = [a for a in asked if a.checklist is not None]
    needed = [a for a in reached if a.probes]
    text = (
        "From the complaint and three outputs on, the first proposed question that can be answered is answered, until "
        "a cause has 0.9. The bound is the entropy over classes at the start (with the residual) divided by the mean "
        "of the gain that the best offer promised at each step, at least 1: what an asker needs whose every answer is "
        "worth the best offer. The checklist asks the same outputs in a guide's order.\n\n"
    )
    rows = [
        ("clusters", len(asked)),
        ("reached 0.9 by its questions", percent(len(reached) / len(asked))),
        ("of these with the right cause", percent(sum(a.right for a in reached) / max(1, len(reached)))),
        (
            "mean questions where any was needed",
            f"{statistics.fmean(a.probes or 0 for a in needed):.2f}" if needed else "-",
        ),
        ("mean bound there", f"{statistics.fmean(a.bound for a in needed):.2f}" if needed else "-"),
        ("reached 0.9 by the checklist", percent(len(listed) / len(asked))),
        ("mean steps of the checklist", f"{statistics.fmean(a.checklist or 0 for a in listed):.2f}" if listed else "-"),
    ]
    return text + table(("", ""), rows)


def _times(sums: Sums) -> str:
    rows = []
    for kind in SAMPLES:
        ratios = sorted(j.whole / j.reading for j in sums.of(kind) if j.reading > 0)
        if ratios:
            rows.append((kind, f"{statistics.median(ratios):.1f}", f"{ratios[int(len(ratios) * 0.95)]:.1f}"))
    text = "The whole diagnosis as a multiple of reading the same files in the same process.\n\n"
    return text + table(("sample", "median", "95th percentile"), rows)


def _grouped(sums: Sums, key: Callable[[Judged], tuple[str, ...]]) -> str:
    names = sorted({name for j in sums.judged for name in key(j)})
    rows = []
    for name in names:
        group = Sums([j for j in sums.judged if name in key(j)])
        cells = [percent(group.rate(kind, lambda j: j.rank == 1)) for kind in SAMPLES]
        three = percent(group.rate("three", lambda j: 1 <= j.rank <= 3))
        rows.append((name, len(group.of("full")), *cells, three, sum(j.wrong for j in group.judged)))
    head = ("", "clusters", *(f"{kind} top-1" for kind in SAMPLES), "three top-3", "confidently wrong")
    return table(head, rows)


def _worst(sums: Sums) -> str:
    """The faults that full evidence misses most often, with what was said instead and a seed."""
    found: dict[str, list[Judged]] = {}
    for j in sums.of("full"):
        if len(j.codes) == 1:
            found.setdefault(j.codes[0], []).append(j)
    worst = sorted(found.items(), key=lambda item: (sum(j.rank == 1 for j in item[1]) / len(item[1]), item[0]))
    lines = []
    for code, group in worst[:15]:
        missed = [j for j in group if j.rank != 1]
        if missed:
            instead = ", ".join(sorted({j.first or "nothing" for j in missed})[:3])
            share = f"{len(missed)} of {len(group)} missed"
            lines.append(f"- `{code}`: {share}; instead {instead} (seed `{missed[0].seed}`)")
    return "The worst with full evidence:\n\n" + "\n".join(lines) + "\n"
