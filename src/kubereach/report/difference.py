"""What changed between two bundles, as a document: what explains the difference first, then all that changed."""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.diagnosis import Because, Verdict
from kubereach.model.difference import Difference, EvidenceChange, Explanation, ModelChange, OneSided
from kubereach.report.blocks import (
    Block,
    Document,
    Heading,
    Items,
    Paragraph,
    Span,
    Tone,
    code,
    faint,
    origin,
    paragraph,
    plain,
    strong,
)
from kubereach.report.findings import because
from kubereach.report.words import count, flow, likelihood, listed, places, sentence

_TONES = {
    Verdict.REACHABLE: Tone.GOOD,
    Verdict.DEGRADED: Tone.WARN,
    Verdict.UNREACHABLE: Tone.BAD,
    Verdict.UNDETERMINED: Tone.WARN,
}
_TOLD = 40  # changes of one kind; -o json has them all
_EXPLANATIONS = 5
_LEAST_TOLD = 0.03  # what explains less than this is left to -o json
_NAMED = 4


def compose(found: Difference) -> Document:
    """The document of a difference."""
    before, after = found.verdict_before, found.verdict_after
    title = [Span(before.value.upper(), _TONES[before]), plain(" → "), Span(after.value.upper(), _TONES[after])]
    title.append(plain(f": {_headline(found)}"))
    blocks: list[Block] = [paragraph(faint(f"Flow: {flow(found.target)}"))]
    if found.ends_before != found.ends_after:
        for name, end in (("Before", found.ends_before), ("After", found.ends_after)):
            blocks.append(paragraph(faint(sentence(f"{name}: {end or 'it arrives'}"))))
    if found.explained_by:
        blocks += _explanations(found.explained_by)
    blocks += _section("Not decided", [paragraph(text) for text in found.undecided])
    blocks += _section("Changed in the evidence", [_evidence(c) for c in found.evidence])
    blocks += _section("Changed in the model", [_model(c) for c in found.model])
    if found.not_comparable:
        blocks += _section("Not comparable: only one bundle covers it", [*_one_sided(found.not_comparable)])
    return Document(tuple(title), tuple(blocks))


def _headline(found: Difference) -> str:
    if found.verdict_before is found.verdict_after and found.ends_before != found.ends_after:
        return "it ends elsewhere than before."
    if found.explained_by:
        first = found.explained_by[0]
        if first.probability >= 0.8:
            return sentence(listed(first.changes))
        return "several changes could explain it."
    if found.verdict_before is found.verdict_after:
        return "the flow fares as before." if found.evidence else "nothing that both bundles show has changed."
    return "no change that both bundles show explains it."


def _section(name: str, items: list[Paragraph]) -> list[Block]:
    if not items:
        return []
    blocks: list[Block] = [Heading((plain(name),)), Items(tuple((item,) for item in items[:_TOLD]))]
    if len(items) > _TOLD:
        blocks.append(paragraph(faint(f"and {len(items) - _TOLD} more, which -o json lists.")))
    return blocks


def _explanations(found: tuple[Explanation, ...]) -> Iterable[Block]:
    """Each with what speaks for it; what speaks for all of them is said once."""
    shown = [one for one in found[:_EXPLANATIONS] if one is found[0] or one.probability >= _LEAST_TOLD]
    common = [reason for reason in shown[0].because if all(reason in other.because for other in shown)]
    items = tuple(_explanation(one, common if len(shown) > 1 else []) for one in shown)
    yield Heading((plain("What explains it"),))
    yield Items(items, ordered=True)
    if len(shown) < len(found):
        yield paragraph(faint(f"and {len(found) - len(shown)} more, which -o json lists."))
    if common and len(shown) > 1:
        yield paragraph("Afterwards was seen, as it should be after each of these:")
        yield because(tuple(common))


def _explanation(found: Explanation, told: list[Because]) -> tuple[Block, ...]:
    text = f"{listed(found.changes)} ({likelihood(found.probability)})"
    first = paragraph(strong(sentence(text)))
    own = tuple(reason for reason in found.because if reason not in told)
    return (first, paragraph("Afterwards was seen, as it should be then:"), because(own)) if own else (first,)


def _evidence(change: EvidenceChange) -> Paragraph:
    spans: list[Span] = [code(f"{change.subject} {change.what}".strip()), plain(f" ({change.kind}): ")]
    if change.change == "changed":
        spans += [plain(f"{change.before} → "), strong(change.after or "")]
    else:
        spans += [strong(change.change), plain(f", {change.before or change.after}")]
    return Paragraph((*spans, *_places(change.origins_before, change.origins_after)))


def _model(change: ModelChange) -> Paragraph:
    spans = (code(f"{change.subject} {change.leaf}"), plain(f": {change.before} → "), strong(change.after))
    return Paragraph((*spans, *_places(change.origins_before, change.origins_after)))


def _places(before: tuple[str, ...], after: tuple[str, ...]) -> Iterable[Span]:
    shown = [f"{name} {places(labels[:3])}" for name, labels in (("before", before), ("after", after)) if labels]
    return (origin(f" [{'; '.join(shown)}]"),) if shown else ()


def _one_sided(found: tuple[OneSided, ...]) -> Iterable[Paragraph]:
    """By subject and side: single fields would bury the rest."""
    grouped: dict[tuple[str, str, str], list[OneSided]] = {}
    for side in found:
        grouped.setdefault((side.kind, side.subject, side.only_in), []).append(side)
    for (kind, subject, only_in), sides in grouped.items():
        named = [side.what for side in sides if side.what]
        what = f" {', '.join(named)}" if len(named) <= _NAMED else f", {count(len(named), 'item')}"
        labels = tuple(dict.fromkeys(label for side in sides for label in side.origins))
        shown = places(labels[:3])
        yield paragraph(code(f"{subject}{what}".strip()), f" ({kind}): {only_in} only ", origin(f"[{shown}]"))
