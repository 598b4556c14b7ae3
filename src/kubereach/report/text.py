"""The neutral document for a terminal: wrapped to its width, coloured only where colour is wanted.

rich does the wrapping (wide characters included) and the colours; it is imported here and nowhere else, because it
costs more than the diagnosis of a short post.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

from rich.console import Console
from rich.text import Text

from kubereach.report.blocks import Block, Code, Document, Fold, Heading, Items, Paragraph, Span, Tone
from kubereach.report.clean import clean, clean_lines

_NARROWEST = 24  # below this the indentation would leave no room for words
_STYLES = {
    Tone.PLAIN: "",
    Tone.STRONG: "bold",
    Tone.CODE: "cyan",
    Tone.ORIGIN: "dim",
    Tone.FAINT: "dim",
    Tone.GOOD: "bold green",
    Tone.BAD: "bold red",
    Tone.WARN: "bold yellow",
}
_ASCII = {
    "→": "->", "←": "<-", "•": "*", "…": "...", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'",
    "–": "-", "—": "--", "−": "-", "×": "x", "≥": ">=", "≤": "<=", "≠": "!=", "─": "-",
}  # fmt: skip


def render(document: Document, width: int = 80, *, colour: bool = False, encoding: str = "utf-8") -> str:
    """`document` as lines of at most `width` columns, verbatim lines excepted, for a terminal of that encoding."""
    console = Console(
        file=StringIO(),
        width=max(width, _NARROWEST),
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    layout = _Layout(console, encoding)
    lines = [*layout.spans(document.title), *layout.blocks(document.blocks)]
    with console.capture() as captured:
        for line in lines:
            console.print(line, soft_wrap=True, end="\n")
    return captured.get()


class _Layout:
    """Blocks to lines for one console and encoding."""

    def __init__(self, console: Console, encoding: str) -> None:
        self.console = console
        self.encoding = encoding
        self.unicode = encoding.lower().replace("-", "").replace("_", "").startswith("utf")

    def blocks(self, blocks: tuple[Block, ...], indent: int = 0) -> Iterator[Text]:
        """Top-level blocks; a blank line goes before each heading, and between the items of long lists."""
        after_long_list = False
        for block in blocks:
            if after_long_list and not isinstance(block, Heading):
                yield Text("")
            yield from self.block(block, indent)
            after_long_list = isinstance(block, Items) and _is_long(block)

    def block(self, block: Block, indent: int) -> Iterator[Text]:
        match block:
            case Heading(spans):
                yield Text("")
                yield from self.spans(tuple(Span(span.text.upper(), Tone.STRONG) for span in spans))
            case Paragraph(spans):
                yield from self.spans(spans, indent)
            case Code(lines):
                for line in clean_lines(lines):
                    yield Text(f"{' ' * (indent + 4)}{self._encodable(line)}".rstrip(), _STYLES[Tone.CODE])
            case Items():
                yield from self._items(block, indent)
            case Fold(summary, blocks):
                yield from self.spans(summary, indent)
                yield from self.blocks(blocks, indent + 2)

    def spans(self, spans: tuple[Span, ...], indent: int = 0, label: str = "") -> Iterator[Text]:
        """Running text, wrapped; `label` hangs left of its first line."""
        room = max(self.console.width - indent, _NARROWEST // 2)
        for number, line in enumerate(self._styled(spans).wrap(self.console, room, overflow="fold")):
            line.rstrip()
            head = f"{label:>{indent}}" if number == 0 else " " * indent
            yield Text(head).append_text(line)

    def _items(self, items: Items, indent: int) -> Iterator[Text]:
        marker = len(str(len(items.items))) + 2 if items.ordered else 2
        for number, (first, *rest) in enumerate(items.items, 1):
            if _is_long(items) and number > 1:
                yield Text("")
            label = f"{number}. " if items.ordered else self._encodable("• ")
            inner = indent + marker
            yield from self.spans(first.spans if isinstance(first, Paragraph) else (), inner, label)
            yield from self.blocks(tuple(rest), inner)

    def _styled(self, spans: tuple[Span, ...]) -> Text:
        text = Text()
        for span in spans:
            text.append(self._encodable(clean(span.text)), _STYLES[span.tone])
        return text

    def _encodable(self, text: str) -> str:
        if self.unicode:
            return text
        for sign, spelling in _ASCII.items():
            text = text.replace(sign, spelling)
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)


def _is_long(items: Items) -> bool:
    """Whether blank lines set the items apart: numbered ones that hold more than their first paragraph."""
    return items.ordered and any(len(item) > 1 for item in items.items)
