"""The neutral document as GitHub-flavoured Markdown, fit for an issue.

The text quotes evidence from strangers: outside code it can neither become HTML, a link, an image or a heading, nor
notify people (`@name`) or other issues (`#1`); inside code it cannot end the code.
"""

from __future__ import annotations

import re

from kubereach.report.blocks import Block, Code, Document, Fold, Heading, Items, Paragraph, Span, Tone
from kubereach.report.clean import clean, clean_lines

_JOINER = "\u200b"  # zero width space: breaks `@name`, `#1` and bare links without being seen


def render(document: Document) -> str:
    """`document` as Markdown, ending in a line end."""
    parts = [f"## {_inline(document.title)}", *(_block(block) for block in document.blocks)]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(spans):
            return f"### {_inline(spans)}"
        case Paragraph(spans):
            return _start(_inline(spans))
        case Code(lines):
            return _fenced(clean_lines(lines))
        case Items(items, ordered):
            tight = all(len(item) == 1 for item in items)
            return ("\n" if tight else "\n\n").join(
                _item(item, f"{number}. " if ordered else "- ") for number, item in enumerate(items, 1)
            )
        case Fold(summary, blocks):
            inner = "\n\n".join(_block(inner) for inner in blocks)
            title = "".join(escape(clean(span.text)) for span in summary).strip()
            return f"<details><summary>{title}</summary>\n\n{inner}\n\n</details>"


def _item(blocks: tuple[Block, ...], marker: str) -> str:
    body = "\n\n".join(_block(block) for block in blocks)
    indent = " " * len(marker)
    first, *rest = body.split("\n")
    return "\n".join([f"{marker}{first}", *(f"{indent}{line}" if line else "" for line in rest)])


def _inline(spans: tuple[Span, ...]) -> str:
    return "".join(_span(span) for span in spans).strip()


def _span(span: Span) -> str:
    text = clean(span.text)
    match span.tone:
        case Tone.CODE:
            return code_span(text)
        case Tone.STRONG | Tone.GOOD | Tone.BAD | Tone.WARN:
            return _emphasised(text)
        case Tone.ORIGIN:
            return _origin(text)
        case _:
            return escape(text)


def _emphasised(text: str) -> str:
    """Bold; white space stays outside, where Markdown wants it."""
    inner = text.strip()
    if not inner:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}**{escape(inner)}**{after}"


def _origin(text: str) -> str:
    """An origin as code, without the brackets that set it off in plain text."""
    inner = text.strip().removeprefix("[").removesuffix("]")
    return f"{' ' if text.startswith(' ') else ''}{code_span(inner)}" if inner else ""


def code_span(text: str) -> str:
    """Inline code that its content cannot end: the fence is longer than any run of backticks inside."""
    if not text:
        return ""
    fence = "`" * (_longest_run(text) + 1)
    # One space is taken off each side by the reader (CommonMark 6.1) when both sides have one.
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _fenced(lines: tuple[str, ...]) -> str:
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return "\n".join((fence, *lines, fence))


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def escape(text: str) -> str:
    """Running text with everything defused that Markdown or GitHub would act on."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_\[\]|~$])", r"\\\1", text)
    text = re.sub(r"([@#])(?=\S)", rf"\1{_JOINER}", text)
    text = re.sub(r"(?i)\b(gh-)(?=\d)", rf"\1{_JOINER}", text)
    return re.sub(r"(?i)(:)(?=//)|(\bwww)(?=\.)", rf"\1\2{_JOINER}", text)


def _start(text: str) -> str:
    """A paragraph that does not begin like a heading, list, rule or quote."""
    return re.sub(r"^(?:([-+=#])|(\d{1,9})([.)]))", lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}\\{m[3]}", text)
