"""Diagnosis → the neutral document, in the order in which somebody under stress needs it.

The verdict and its cause first, then what is certain, the causes with their repairs, what to ask next, and then what
it all rests on. Sections with nothing to say are left out.
"""

from __future__ import annotations

from enum import IntEnum

from kubereach.model.diagnosis import Cause, Diagnosis, Verdict
from kubereach.report import findings, grounds
from kubereach.report.blocks import Block, Document, Heading, Span, Tone, faint, paragraph, plain, strong
from kubereach.report.words import flow, likelihood, qualified, rivals, sentence

_VERDICTS = {
    Verdict.REACHABLE: Span("REACHABLE", Tone.GOOD),
    Verdict.DEGRADED: Span("DEGRADED", Tone.WARN),
    Verdict.UNREACHABLE: Span("UNREACHABLE", Tone.BAD),
    Verdict.UNDETERMINED: Span("UNDETERMINED", Tone.WARN),
}


# Where the evidence does not decide, a likelier cause than this may stand in the first line.
_LEADS = 0.3
_RIVALS_TOLD = 2


class Detail(IntEnum):
    """How much is told."""

    QUIET = 0  # verdict, cause and flow
    NORMAL = 1
    VERBOSE = 2  # with every cleared suspect and all unread text


_SECTIONS = (
    ("What is certain", findings.effects),
    ("Causes", findings.causes),
    ("What would make it work", findings.remedies),
    ("Ask next", findings.next_probes),
    ("Waiting behind it", findings.latent),
    ("The way there", grounds.forward),
    ("The way back", grounds.back),
    ("Where two layers disagree", grounds.contradictions),
    ("What was seen, and what it means", grounds.observations),
    ("Changes that come to mind", findings.what_if),
    ("Cleared of suspicion", grounds.cleared),
    ("Taken from your words", grounds.understood),
    ("Assumed", grounds.assumed),
    ("Missing", grounds.missing),
)


def compose(diagnosis: Diagnosis, detail: Detail = Detail.NORMAL) -> Document:
    """The document of `diagnosis`."""
    title = (_VERDICTS[diagnosis.verdict], plain(": "), *_headline(diagnosis))
    blocks: list[Block] = [paragraph(faint(f"Flow: {flow(diagnosis.target)}"))]
    if detail > Detail.QUIET:
        for name, section in _SECTIONS:
            content = section(diagnosis)
            if content:
                blocks += [Heading((plain(name),)), *content]
        blocks += grounds.unread(diagnosis, whole=detail is Detail.VERBOSE)
    return Document(title, tuple(blocks))


def _headline(diagnosis: Diagnosis) -> tuple[Span, ...]:
    """The cause in one sentence, or, where several fit, that they do."""
    leading = rivals(diagnosis.causes)
    faint_lead = diagnosis.verdict is Verdict.UNDETERMINED and leading and leading[0].probability < _LEADS
    if not leading or faint_lead:
        return (plain(_without_cause(diagnosis)),)
    if len(leading) == 1:
        cause = leading[0]
        return (strong(qualified(cause.summary, likelihood(cause.probability))),)
    told = _told(leading)
    question = " The question under “Ask next” separates them." if diagnosis.next_probes else ""
    says = next((effect.says for effect in diagnosis.effects if effect.probability >= 0.9), "")
    if says:
        return (strong(sentence(says)), plain(f" What is behind it is open: {told}.{question}"))
    return (strong("several causes fit equally well: "), plain(f"{told}.{question}"))


def _told(leading: list[Cause]) -> str:
    """The rivals in words, the first ones in full."""
    summaries = [*dict.fromkeys(cause.summary for cause in leading)]
    shown = summaries[:_RIVALS_TOLD] if len(summaries) > _RIVALS_TOLD + 1 else summaries
    rest = [f"one of {len(summaries) - len(shown)} others"] if len(shown) < len(summaries) else []
    return "; or ".join([*shown, *rest])


def _without_cause(diagnosis: Diagnosis) -> str:
    if diagnosis.verdict is Verdict.REACHABLE:
        return "nothing in the evidence stands in the way."
    if diagnosis.next_probes:
        return "no cause stands out in this evidence; “Ask next” says what would tell more."
    return "no cause stands out in this evidence; “Missing” says what to collect."
