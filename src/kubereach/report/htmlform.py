"""The neutral document as one HTML file that needs nothing else and can run nothing.

Evidence is hostile input: every piece of text is escaped, there are no scripts and no links, and the page's own
policy forbids all loading and all styles but the one whose hash it names.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

from kubereach.report.blocks import Block, Code, Document, Fold, Heading, Items, Paragraph, Span, Tone
from kubereach.report.clean import clean, clean_lines

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2126; --faint: #5c6670; --paper: #fff; --block: #f2f4f6; --line: #d5dade;
  --good: #146c2e; --bad: #b3261e; --warn: #7a5200; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e6e9; --faint: #9aa4ad; --paper: #16191c; --block: #22272b;
  --line: #3a4147; --good: #7bd88f; --bad: #ff8a80; --warn: #f0c060; } }
body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; line-height: 1.4; font-weight: 500; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; padding-bottom: .2rem; border-bottom: 1px solid var(--line); }
p { margin: .3rem 0; } ul, ol { margin: .3rem 0; padding-left: 1.6rem; } li { margin: .4rem 0; }
pre, code { font: .9rem/1.45 ui-monospace, monospace; background: var(--block); border-radius: .25rem; }
code { padding: .05rem .25rem; } pre { padding: .6rem .8rem; overflow-x: auto; overflow-wrap: normal; }
.faint, .origin { color: var(--faint); } .origin { font-size: .85rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
@media print { pre { white-space: pre-wrap; } }
"""


def render(document: Document) -> str:
    """`document` as a complete page."""
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = "".join(clean(span.text) for span in document.title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{_inline(document.title)}</h1>\n{_blocks(document.blocks)}\n</main>\n</body>\n</html>\n"
    )


def _blocks(blocks: tuple[Block, ...]) -> str:
    return "\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    match block:
        case Heading(spans):
            return f"<h2>{_inline(spans)}</h2>"
        case Paragraph(spans):
            return f"<p>{_inline(spans)}</p>"
        case Code(lines):
            return f"<pre>{escape(chr(10).join(clean_lines(lines)))}</pre>"
        case Items(items, ordered):
            tag = "ol" if ordered else "ul"
            return f"<{tag}>\n{''.join(f'<li>{_blocks(item)}</li>{chr(10)}' for item in items)}</{tag}>"
        case Fold(summary, blocks):
            return f"<details>\n<summary>{_inline(summary)}</summary>\n{_blocks(blocks)}\n</details>"


def _inline(spans: tuple[Span, ...]) -> str:
    return "".join(_span(span) for span in spans)


def _span(span: Span) -> str:
    text = escape(clean(span.text))
    match span.tone:
        case Tone.PLAIN:
            return text
        case Tone.CODE:
            return f"<code>{text}</code>"
        case Tone.STRONG:
            return f"<strong>{text}</strong>"
        case Tone.GOOD | Tone.BAD | Tone.WARN:
            return f'<strong class="{span.tone.value}">{text}</strong>'
        case _:
            return f'<span class="{span.tone.value}">{text}</span>'
