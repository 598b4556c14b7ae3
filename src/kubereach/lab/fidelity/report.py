"""What a campaign found, in numbers: agreement over predictions that say something, by question, fault and system."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from kubereach.lab.fidelity.campaign import Outcome
from kubereach.lab.fidelity.compare import SAYS, Comparison
from kubereach.lab.fidelity.experiment import Finding
from kubereach.lab.fidelity.sickbay import Case, known

Row = tuple[Finding, Comparison]


class Summary(Struct, kw_only=True):
    """The sums of a campaign. `unknown` are disagreements that no sickbay case holds."""

    experiments: int
    errors: tuple[tuple[str, str], ...]
    decided: int
    agreeing: int
    undecided: int
    silent: int
    by_case: Counter[str]
    unknown: tuple[Row, ...]
    cured: tuple[str, ...]

    @property
    def agreement(self) -> float:
        """The share of decided predictions that reality shows."""
        return self.agreeing / self.decided if self.decided else 1.0


def rows(outcomes: Iterable[Outcome]) -> Iterator[Row]:
    """Every comparison with its finding."""
    return ((f, c) for outcome in outcomes for f in outcome.findings for c in f.comparisons)


def summarise(outcomes: Sequence[Outcome], cases: Sequence[Case]) -> Summary:
    """Count, and sort the disagreements into the known cases."""
    found = list(rows(outcomes))
    wrong = [(f, c) for f, c in found if c.decided and not c.agrees]
    placed = [(row, known(cases, *row)) for row in wrong]
    by_case = Counter(case.name for _, case in placed if case)
    return Summary(
        experiments=len(outcomes),
        errors=tuple((o.name, o.error) for o in outcomes if o.error),
        decided=sum(c.decided for _, c in found),
        agreeing=sum(c.decided and c.agrees for _, c in found),
        undecided=sum(bool(c.predicted) and not c.decided for _, c in found),
        silent=sum(not c.predicted for _, c in found),
        by_case=by_case,
        unknown=tuple(row for row, case in placed if case is None),
        cured=tuple(case.name for case in cases if not by_case[case.name]),
    )


def as_line(finding: Finding, comparison: Comparison) -> str:
    """One disagreement in a line."""
    head = f"{finding.name} [{finding.client}] {asked(comparison)}"
    predicted = f"predicted {comparison.predicted} ({comparison.probability:.2f})"
    return f"{head}: {predicted}, seen {' or '.join(comparison.seen)}: {comparison.says}"


def as_text(outcome: Outcome, cases: Sequence[Case], *, everything: bool) -> str:
    """One experiment for a terminal: what was predicted beside what was seen; without `everything` what differs."""
    if outcome.error:
        return f"{outcome.name} could not be run: {outcome.error}"
    lines = []
    for finding in outcome.findings:
        decided = [c for c in finding.comparisons if c.decided]
        good = sum(c.agrees for c in decided)
        rest = len(finding.comparisons) - len(decided)
        lines.append(
            f"{finding.name}, as {finding.client} sees it: {good} of {len(decided)} predictions agree, {rest} left open"
        )
        shown = [c for c in finding.comparisons if everything or (c.decided and not c.agrees)]
        lines += [f"  {_mark(finding, c, cases):9} {asked(c):44} {answers(c):42} {c.says}" for c in shown]
    return "\n".join(lines)


def _mark(finding: Finding, comparison: Comparison, cases: Sequence[Case]) -> str:
    if not comparison.decided:
        return "open" if comparison.predicted else "no word"
    if comparison.agrees:
        return "agrees"
    return "known" if known(cases, finding, comparison) else "DIFFERS"


def asked(comparison: Comparison) -> str:
    """The question in words."""
    question = comparison.question
    about = " ".join(str(part) for part in question.about)
    return " ".join(part for part in (question.kind, question.where, about) if part)


def answers(comparison: Comparison) -> str:
    """The predicted answer with its probability, and what was seen."""
    predicted = f"{comparison.predicted} ({comparison.probability:.2f})" if comparison.predicted else "-"
    return f"{predicted} | {' or '.join(comparison.seen)}"


def as_markdown(outcomes: Sequence[Outcome], cases: Sequence[Case], title: str) -> str:
    """The page of a campaign."""
    summary = summarise(outcomes, cases)
    found = list(rows(outcomes))
    sums = (
        f"{summary.experiments} experiments, {summary.decided} predictions that say something: "
        f"**{100 * summary.agreement:.2f} % agree**. {summary.undecided} predictions leave it open "
        f"(no answer has {100 * SAYS:.0f} %), {summary.silent} say nothing (insufficient information)."
    )
    lines = [
        f"### {title}",
        "",
        sums,
        "",
        *_table("question", _by(found, lambda _, c: c.question.kind)),
        "",
        *_table("fault", _by(found, lambda f, _: " + ".join(x.partition("@")[0] for x in f.faults) or "(none)", 25)),
        "",
        *_table("system", _by(found, lambda f, _: f.traits)),
        "",
    ]
    if summary.errors:
        lines += [f"{len(summary.errors)} experiments could not be run:", ""]
        lines += [f"- `{name}`: {error}" for name, error in summary.errors[:10]] + [""]
    if summary.by_case:
        lines += ["Known disagreements (`tests/kernel/sickbay.yaml`):", ""]
        lines += [f"- {name}: {count}" for name, count in sorted(summary.by_case.items())] + [""]
    if summary.unknown:
        lines += [f"{len(summary.unknown)} disagreements that no sickbay case holds:", ""]
        lines += [f"- {as_line(*row)}" for row in summary.unknown[:40]] + [""]
    return "\n".join(lines)


Sums = dict[str, list[int]]


def _by(found: Sequence[Row], key: Callable[[Finding, Comparison], str], most: int = 40) -> Sums:
    sums: Sums = defaultdict(lambda: [0, 0, 0])
    for finding, comparison in found:
        name = key(finding, comparison)
        sums[name][0] += comparison.decided
        sums[name][1] += comparison.decided and comparison.agrees
        sums[name][2] += not comparison.decided
    worst = sorted(sums.items(), key=lambda item: (item[1][1] / item[1][0] if item[1][0] else 1, item[0]))
    return dict(sorted(worst[:most]))


def _table(head: str, sums: Sums) -> list[str]:
    return [
        f"| {head} | say something | agree | | leave it open |",
        "|---|--:|--:|--:|--:|",
        *(
            f"| {name} | {decided} | {agreeing} | {100 * agreeing / decided if decided else 100:.1f} % | {open_} |"
            for name, (decided, agreeing, open_) in sums.items()
        ),
    ]
