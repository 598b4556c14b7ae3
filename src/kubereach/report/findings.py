"""The sections that say what is wrong and what to do: effects, causes, repairs, the next questions."""

from __future__ import annotations

from kubereach.model.diagnosis import Because, Cause, Diagnosis, Effect, NextProbe, Remedy, Repair, Role
from kubereach.report.blocks import (
    Block,
    Code,
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
from kubereach.report.words import OWNERS, PRIVILEGES, ROLES, host, likelihood, listed, percent, qualified, sentence

_CODES_SHOWN = 4
# A rival of the leading cause below this probability gets one line: nine full entries help nobody to act.
_TOLD_WHOLE = 0.15
_TOLD_IN_BRIEF = 8


def effects(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """What is sure though its causes split."""
    return (Items(tuple((_effect(effect),) for effect in diagnosis.effects)),) if diagnosis.effects else ()


def _effect(effect: Effect) -> Paragraph:
    shown = [*effect.causes[:_CODES_SHOWN]]
    if len(effect.causes) > _CODES_SHOWN:
        shown.append(f"{len(effect.causes) - _CODES_SHOWN} others")
    behind = f" Behind it: {listed(shown, 'or')}." if shown else ""
    return paragraph(qualified(effect.says, likelihood(effect.probability)), faint(behind))


def causes(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """Roots, misreads and contributing causes, with the residual."""
    now = [cause for cause in diagnosis.causes if cause.role is not Role.LATENT]
    brief = [c for c in now[1:] if c.role is Role.ROOT and c.probability < _TOLD_WHOLE]
    whole = tuple(_cause(cause) for cause in now if cause not in brief)
    blocks: list[Block] = [Items(whole, ordered=True)] if whole else []
    if brief:
        named = tuple((_in_brief(cause),) for cause in brief[:_TOLD_IN_BRIEF])
        blocks += [paragraph("Less likely:"), Items(named)]
        if len(brief) > _TOLD_IN_BRIEF:
            blocks.append(paragraph(faint(f"and {len(brief) - _TOLD_IN_BRIEF} more, which -o json lists.")))
    if diagnosis.residual > 0:
        blocks.append(paragraph(faint(f"Something that kubereach does not know: {percent(diagnosis.residual)}.")))
    return tuple(blocks)


def _in_brief(cause: Cause) -> Paragraph:
    return paragraph(qualified(cause.summary, percent(cause.probability)), faint(" "), code(cause.code))


def latent(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """What would bite after the repair."""
    later = [cause for cause in diagnosis.causes if cause.role is Role.LATENT]
    hidden = {code for cause in diagnosis.causes for code in cause.hides}
    blocks: list[Block] = []
    for text, found in (
        (
            "This does no harm now, and would stop the packet once the causes above are gone.",
            [cause for cause in later if cause.code in hidden],
        ),
        ("This is wrong too, and this flow does not depend on it.", [c for c in later if c.code not in hidden]),
    ):
        if found:
            blocks += [paragraph(text), Items(tuple(_cause(cause) for cause in found))]
    return tuple(blocks)


def _cause(cause: Cause) -> tuple[Block, ...]:
    blocks: list[Block] = [
        paragraph(
            strong(f"{ROLES[cause.role]} ({likelihood(cause.probability)}): "),
            plain(sentence(cause.summary)),
        ),
        _particulars(cause),
    ]
    if cause.because:
        blocks += [paragraph("Because:"), because(cause.because)]
    for number, repair in enumerate(cause.repairs, 1):
        blocks += _repair(repair, f"Repair {number}" if len(cause.repairs) > 1 else "Repair")
    if cause.hides:
        text = f"{listed(cause.hides)}: where it is so, it stops the packet once this is mended."
        blocks.append(paragraph(strong("Hides "), plain(text)))
    return tuple(blocks)


def _particulars(cause: Cause) -> Paragraph:
    spans = [faint("At "), code(cause.subject), faint("; "), code(cause.code), faint(f" ({cause.class_})")]
    if cause.alternative_of:
        spans += [faint("; excludes "), code(cause.alternative_of)]
    return Paragraph((*spans, faint(f". To be solved by {OWNERS[cause.owner]}.")))


def because(reasons: tuple[Because, ...]) -> Items:
    """Evidence as a list: what it says, and where it stands."""
    return Items(tuple((paragraph(f"{reason.says} ", origin(f"[{reason.origin}]")),) for reason in reasons))


def _repair(repair: Repair, name: str) -> tuple[Block, ...]:
    blocks: list[Block] = [paragraph(strong(f"{name}: "), plain(f"{sentence(repair.summary)} "), _proof(repair))]
    if repair.commands:
        blocks.append(Code(repair.commands))
    notes = [*_notes(repair)]
    if notes:
        blocks.append(Items(tuple((paragraph(strong(f"{head}: "), *spans),) for head, spans in notes)))
    return tuple(blocks)


def _proof(repair: Repair) -> Span:
    if repair.proved:
        return Span("Proved in the model: with this change the packet gets there and back.", Tone.GOOD)
    return Span("Not proved: with this change the packet was not shown to get through.", Tone.WARN)


def _notes(repair: Repair) -> list[tuple[str, tuple[Span, ...]]]:
    notes: list[tuple[str, tuple[Span, ...]]] = []
    if repair.condition:
        notes.append(("Only if", (plain(sentence(repair.condition)),)))
    if repair.clears:
        notes.append(("Clears", (plain(sentence(listed(repair.clears))),)))
    if repair.breaks:
        notes.append(("Breaks", (Span(sentence("; ".join(repair.breaks)), Tone.BAD),)))
    if repair.side_effects:
        notes.append(("Side effects", (plain(sentence("; ".join(repair.side_effects))),)))
    return notes


def what_if(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """Changes that people try, and what they would do."""
    return (Items(tuple(_attempt(repair) for repair in diagnosis.what_if)),) if diagnosis.what_if else ()


def _attempt(repair: Repair) -> tuple[Block, ...]:
    helps = (
        Span("Would work.", Tone.GOOD) if repair.proved else Span("Would not be enough, as far as is known.", Tone.WARN)
    )
    blocks: list[Block] = [paragraph(f"{sentence(repair.summary)} ", helps)]
    if repair.commands:
        blocks.append(Code(repair.commands))
    notes = [*_notes(repair)]
    if notes:
        blocks.append(Items(tuple((paragraph(strong(f"{head}: "), *spans),) for head, spans in notes)))
    return tuple(blocks)


def remedies(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """The smallest sets of changes that would do, the least disruptive first."""
    if not diagnosis.remedies:
        return ()
    several = len(diagnosis.remedies) > 1
    head = "Any one of these would do, by what is likely; the least disruptive comes first." if several else ""
    items = Items(tuple(_remedy(remedy) for remedy in diagnosis.remedies), ordered=several)
    return (paragraph(head), items) if head else (items,)


def _remedy(remedy: Remedy) -> tuple[Block, ...]:
    whole = " and ".join(change.summary for change in remedy.changes)
    owners = listed(tuple(dict.fromkeys(OWNERS[change.owner] for change in remedy.changes)))
    proof = Span("Proved in the model.", Tone.GOOD) if remedy.proved else Span("Not proved.", Tone.WARN)
    blocks: list[Block] = [paragraph(f"{sentence(whole)} ", faint(f"To be done by {owners}. "), proof)]
    commands = tuple(command for change in remedy.changes for command in change.commands)
    if commands:
        blocks.append(Code(commands))
    notes = []
    if len(remedy.changes) > 1:
        notes = [
            (f"If you do not {change.summary}", plain(sentence("; ".join(change.without)))) for change in remedy.changes
        ]
    if remedy.breaks:
        notes.append(("Breaks", Span(sentence("; ".join(remedy.breaks)), Tone.BAD)))
    if remedy.side_effects:
        notes.append(("Side effects", plain(sentence("; ".join(remedy.side_effects)))))
    if notes:
        blocks.append(Items(tuple((paragraph(strong(f"{head}: "), span),) for head, span in notes)))
    return tuple(blocks)


def next_probes(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """The questions worth asking, best first, and what each answer would mean."""
    if not diagnosis.next_probes:
        return ()
    return (Items(tuple(_probe(probe) for probe in diagnosis.next_probes), ordered=True),)


def _probe(probe: NextProbe) -> tuple[Block, ...]:
    rights = PRIVILEGES.get(probe.privilege, probe.privilege)
    risk = "changes nothing" if probe.risk == "none" else f"risk: {probe.risk}"
    blocks: list[Block] = [
        paragraph("On ", strong(host(probe.where, probe.command)), faint(f" ({rights}; {risk})"), ":"),
        Code((probe.command,)),
    ]
    if probe.if_answer:
        answers = tuple(
            (paragraph(strong(answer.answer), plain(f": {sentence(answer.implies)}")),) for answer in probe.if_answer
        )
        blocks.append(Items(answers))
    if probe.separates:
        cost = f" for about {probe.cost_seconds:.0f} s of somebody's time" if probe.cost_seconds else ""
        gain = f", worth {probe.gain_bits:.1f} bits{cost}" if probe.gain_bits else ""
        blocks.append(paragraph(faint(f"Separates {listed(probe.separates)}{gain}.")))
    return tuple(blocks)
