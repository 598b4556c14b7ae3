"""What a change would do, as a document: the flow first, then what it clears and breaks, and the rest in brief."""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.build.target import PLACEHOLDER
from kubereach.model.what_if import Change, Effect, Outcome, Result, Row, WhatIf
from kubereach.report.blocks import (
    Block,
    Code,
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
from kubereach.report.words import count, flow, likelihood, listed, sentence

_TONES = {Result.WORKS: Tone.GOOD, Result.PARTLY: Tone.WARN, Result.FAILS: Tone.BAD, Result.UNKNOWN: Tone.WARN}
_HEADS = {
    Effect.CLEARED: Span("With this change it works", Tone.GOOD),
    Effect.BREAKS: Span("With this change it gets worse", Tone.BAD),
    Effect.SAME: Span("This change does not alter it", Tone.WARN),
    Effect.OPEN: Span("What this change does is not decided by the evidence", Tone.WARN),
}
_SECTIONS = (
    ("Breaks", Effect.BREAKS),
    ("Cleared", Effect.CLEARED),
    ("Not decided", Effect.OPEN),
    ("Stays as it is", Effect.SAME),
)
_SURE = 0.99
_ALIKE_NAMED = 3
_NODES_NAMED = 5
_TOLD = 20  # rows of one effect


def compose(answer: WhatIf) -> Document:
    """The document of a what-if."""
    after = answer.flow.after
    head = _HEADS[answer.flow.effect]
    if answer.flow.effect is Effect.CLEARED and after.result is Result.PARTLY:
        head = Span("With this change it works better, and not well", Tone.WARN)
    title = (head, plain(f": {_both(answer.flow.before, after)}."))
    blocks: list[Block] = [paragraph(faint(f"Flow: {flow(answer.target)}")), *_reasons(answer.flow)]
    blocks += [Heading((plain("Changed"),)), Items(tuple((_change(change),) for change in answer.changes))]
    for name, effect in _SECTIONS:
        # The real ways first: what is led elsewhere is what would be, were it so.
        rows = sorted((row for row in answer.rows if row.effect is effect), key=lambda row: bool(row.via))
        if rows:
            blocks += [Heading((plain(name),)), Items(tuple(_row(row) for row in rows[:_TOLD]))]
        if len(rows) > _TOLD:
            blocks.append(paragraph(faint(f"and {len(rows) - _TOLD} more, which -o json lists.")))
    if answer.assumed:
        blocks += [Heading((plain("Assumed"),)), Items(tuple((paragraph(text),) for text in answer.assumed))]
    return Document(title, tuple(blocks))


def _change(change: Change) -> Paragraph:
    what = code(f"{change.subject} {change.path}".strip())
    if change.action == "down":
        return paragraph(what, f" is taken away: {sentence(change.note)}")
    if not change.path:
        return paragraph(what, f": {sentence(change.note)}")
    before = "not shown" if change.before is None else change.before
    after = "taken away" if change.after is None else change.after
    if change.before == change.after:
        stands = "is not set" if change.after is None else f"stands at {after} already"
        return paragraph(what, f": {stands}, which changes nothing.")
    return paragraph(what, f": {before} → ", strong(after), " ", *_at(change.origin))


def _at(label: str) -> Iterable[Span]:
    return (origin(f"[{label}]"),) if label else ()


def _row(row: Row) -> tuple[Block, ...]:
    where = f"if led to {_some(tuple(v.removeprefix('node/') for v in row.via), _NODES_NAMED, 'or')}"
    where = where if row.via else "as routed"
    ports = ",".join(map(str, row.ports))
    address = f"[{row.address}]" if ":" in row.address else row.address
    name = "the service" if row.service == PLACEHOLDER.removeprefix("service/") else row.service
    spans = [strong(name), plain(f" at {address}{':' if ports else ''}{ports}, {where}: ")]
    if row.before.result is row.after.result:
        spans.append(Span(_both(row.before, row.after), _TONES[row.before.result]))
    else:
        spans.append(Span(_side(row.before), _TONES[row.before.result]))
        spans += [plain(" → "), Span(_side(row.after), _TONES[row.after.result])]
    if row.alike:
        spans.append(faint(f"; so does {_some(row.alike, _ALIKE_NAMED)}"))
    return (Paragraph((*spans, plain("."))), *_reasons(row))


def _some(names: tuple[str, ...], most: int, conjunction: str = "and") -> str:
    rest = len(names) - most
    return listed([*names[:most], *([f"{rest} more"] if rest > 0 else [])], conjunction)


def _both(before: Outcome, after: Outcome) -> str:
    if before.result is not after.result:
        return f"{_side(before)}, then {_side(after)}"
    return f"{_side(after if after.probability < before.probability else before)}, before and after"


def _side(outcome: Outcome) -> str:
    if outcome.result is Result.UNKNOWN:
        return "insufficient information"
    sure = "" if outcome.probability >= _SURE else f" ({likelihood(outcome.probability)})"
    return f"{outcome.result.value}{sure}"


def _reasons(row: Row) -> tuple[Block, ...]:
    """Why each side ends as it does, once where that is the same, and what would settle it."""
    blocks: list[Block] = []
    before, after = row.before, row.after
    if before.why and before.why == after.why:
        blocks.append(paragraph(faint(sentence(f"Before and after: {before.why}"))))
    else:
        sides = (("Before", before), ("After", after))
        blocks += [paragraph(faint(sentence(f"{name}: {side.why}"))) for name, side in sides if side.why]
    commands = tuple(dict.fromkeys((*before.settled_by, *after.settled_by)))
    if commands and row.effect is not Effect.SAME:
        blocks += [paragraph(faint(f"{count(len(commands), 'output')} would settle it:")), Code(commands)]
    return tuple(blocks)
