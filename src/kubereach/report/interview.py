"""What `diagnose --interactive` says between its questions, as documents."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.advise.collect import Item
from kubereach.advise.interview import Answer, Move
from kubereach.model.diagnosis import Diagnosis
from kubereach.report.blocks import Block, Code, Document, Items, Span, Tone, code, faint, paragraph, plain, strong
from kubereach.report.document import Detail, compose
from kubereach.report.words import PRIVILEGES, count, host, percent, sentence

HOW_TO_ANSWER = (
    "Paste what it prints and end with a line that holds only a dot, or with Ctrl-D. Or type skip (you cannot run it), "
    "file NAME (it is in that file), or quit (the report as it stands)."
)
HOW_TO_BEGIN = (
    "Paste what you have (commands with their outputs, a post) and end with a line that holds only a dot, or with "
    "Ctrl-D."
)
_REMINDER = "End with a line that holds only a dot, or Ctrl-D; or type skip, file NAME or quit."
_TOLD = 6


def start() -> Document:
    """The invitation to paste what there is."""
    return Document((plain(HOW_TO_BEGIN),), ())


def state(diagnosis: Diagnosis) -> Document:
    """The verdict and its cause in brief."""
    return compose(replace(diagnosis, next_probes=()), Detail.QUIET)  # the next question is asked, not listed


def question(number: int, item: Item) -> Document:
    """One question: who must run what, and how to answer."""
    rights = PRIVILEGES.get(item.privilege, item.privilege)
    title = (
        strong(f"Question {number}: "),
        plain("on "),
        strong(host(item.where, item.command)),
        faint(f" ({rights})"),
        plain(":"),
    )
    blocks: list[Block] = [Code((item.command,))]
    if item.answers:
        blocks.append(
            Items(tuple((paragraph(strong(a.answer), plain(f": {sentence(a.implies)}")),) for a in item.answers))
        )
    else:
        blocks.append(paragraph(faint(sentence(item.gives[:1].upper() + item.gives[1:]))))
    return Document(title, (*blocks, paragraph(faint(HOW_TO_ANSWER if number == 1 else _REMINDER))))


def changed(before: Diagnosis, after: Diagnosis, moves: tuple[Move, ...]) -> Document:
    """What an answer changed: the verdict, and each cause's probability before and after."""
    verdict = f"The verdict is now {after.verdict.value}. " if after.verdict is not before.verdict else ""
    if not moves:
        said = "It moved no probability: every likely cause expected it."
        return Document((plain(f"{verdict}{said}"),), ())
    rows = tuple(
        (paragraph(f"{percent(m.before)} → ", strong(percent(m.after)), f" {sentence(m.summary)} ", code(m.code)),)
        for m in moves[:_TOLD]
    )
    blocks: list[Block] = [Items(rows)]
    if len(moves) > _TOLD:
        blocks.append(paragraph(faint(f"and {len(moves) - _TOLD} more moved.")))
    return Document((plain(f"{verdict}What the answer changed:"),), tuple(blocks))


def read(answer: Answer) -> Document:
    """How much of an answer was understood."""
    if not answer.facts:
        head = Span("Nothing in it could be read.", Tone.WARN)
        rest = " It is kept and listed as not understood. Paste again, with the command above it, or type skip."
        return Document((head, plain(rest)), ())
    unread = f"; {count(answer.unread, 'line')} of it not understood" if answer.unread else ""
    return Document((faint(f"Read as {answer.document.name}{unread}."),), ())


def note(text: str) -> Document:
    """A remark."""
    return Document((plain(text),), ())
