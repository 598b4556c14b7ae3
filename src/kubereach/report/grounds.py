"""The sections that say what the answer rests on: the walk, the observations, what is assumed, missing, unread."""

from __future__ import annotations

from kubereach.model.diagnosis import Cleared, Contradiction, Diagnosis, ObservationReport, UnreadSpan, WalkStep
from kubereach.report.blocks import (
    Block,
    Code,
    Fold,
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
from kubereach.report.words import count, line_count, listed, places, sentence

_BASES = {"observed": Tone.GOOD, "derived": Tone.FAINT, "assumed": Tone.WARN, "unknown": Tone.BAD}
_UNREAD_SHOWN = 8


def forward(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """The packet's way to the pod."""
    return _walk(diagnosis.walk.forward)


def back(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """The reply's way to the client."""
    return _walk(diagnosis.walk.return_)


def _walk(steps: tuple[WalkStep, ...]) -> tuple[Block, ...]:
    return (Items(tuple(_step(step) for step in steps), ordered=True),) if steps else ()


def _step(step: WalkStep) -> tuple[Block, ...]:
    interfaces = [name for name in (step.in_interface, step.out_interface) if name]
    via = f" {' → '.join(interfaces)}" if interfaces else ""
    spans = [strong(f"{step.device}{via}"), plain(f", {step.kind}: {sentence(step.says)} ")]
    spans.append(Span(f"({step.basis})", _BASES.get(step.basis, Tone.FAINT)))
    if step.origins:
        spans.append(origin(f" [{places(step.origins)}]"))
    blocks: list[Block] = [Paragraph(tuple(spans))]
    if step.mac:
        blocks.append(paragraph(faint("to "), code(step.mac)))
    if step.after and step.after != step.before:
        change = [code(step.before), faint(" becomes "), code(step.after)] if step.before else [code(step.after)]
        blocks.append(Paragraph(tuple(change)))
    return tuple(blocks)


def contradictions(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """Should be, is, and how they fit together."""
    found = diagnosis.contradictions
    return (Items(tuple(_contradiction(item) for item in found)),) if found else ()


def _contradiction(item: Contradiction) -> tuple[Block, ...]:
    spans = [strong(f"{item.at}: "), plain(f"expected {item.expected}; seen {sentence(item.seen)}")]
    if item.origins:
        spans.append(origin(f" [{places(item.origins)}]"))
    first = Paragraph(tuple(spans))
    return (first, paragraph(sentence(item.reconciliation))) if item.reconciliation else (first,)


def observations(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """Everything that was seen, with what it says about the flow."""
    seen = diagnosis.observations
    return (Items(tuple(_observation(item) for item in seen)),) if seen else ()


def _observation(item: ObservationReport) -> tuple[Block, ...]:
    means = f": {sentence(item.means)}" if item.means else ""
    spans = [strong(item.says), plain(f"{means} ")]
    if item.explained_by:
        spans.append(faint(f"Explained by {listed(item.explained_by, 'or')}. "))
    return (Paragraph((*spans, origin(f"[{item.origin}]"))),)


def cleared(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """Suspects that the evidence acquits."""
    return (Items(tuple(_acquitted(item) for item in diagnosis.cleared)),) if diagnosis.cleared else ()


def _acquitted(item: Cleared) -> tuple[Block, ...]:
    if len(item.because) > 1:
        return (paragraph(code(item.code)), because(item.because))
    if not item.because:
        return (paragraph(code(item.code)),)
    (reason,) = item.because
    return (paragraph(code(item.code), f": {reason.says} ", origin(f"[{reason.origin}]")),)


def understood(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """What was taken from prose."""
    if not diagnosis.understood:
        return ()
    return (
        paragraph("Trusted less than program output. If one of these is wrong, say so in the text and run again."),
        because(diagnosis.understood),
    )


def assumed(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """What was taken for granted."""
    return _bare_list(diagnosis.assumed)


def missing(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """What was not collected. It is never read as absent."""
    return _bare_list(diagnosis.missing)


def _bare_list(lines: tuple[str, ...]) -> tuple[Block, ...]:
    return (Items(tuple((paragraph(line),) for line in lines)),) if lines else ()


def unread(diagnosis: Diagnosis, *, whole: bool) -> tuple[Block, ...]:
    """How much no reader understood and where; its text when `whole`."""
    spans = diagnosis.unread
    if not spans:
        return ()
    lines = sum(line_count(span.origin) for span in spans)
    summary = f"{count(lines, 'line')} in {count(len(spans), 'place')}"
    heading = Heading((plain("Not understood"),))
    if whole:
        return (heading, Fold((plain(f"{summary}:"),), tuple(block for span in spans for block in _unread(span))))
    shown = places(span.origin for span in spans[:_UNREAD_SHOWN])
    more = ", …" if len(spans) > _UNREAD_SHOWN else ""
    return (heading, paragraph(plain(f"{summary} "), origin(f"[{shown}{more}]"), faint(" (-v shows them)")))


def _unread(span: UnreadSpan) -> tuple[Block, ...]:
    place = paragraph(origin(f"[{span.origin}]"))
    return (place, Code(tuple(span.text.splitlines()))) if span.text else (place,)
