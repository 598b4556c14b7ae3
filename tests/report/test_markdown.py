from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from kubereach.report.blocks import Code, Document, paragraph
from kubereach.report.document import Detail, compose
from kubereach.report.markdown import code_span, escape, render
from tests.conftest import Golden
from tests.report.hostile import hostile
from tests.report.sample import FULL

GOLDENS = Path(__file__).parent / "golden"

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</summary></details><b>x</b>",
    "&lt;b&gt; &#x3c;script&#x3e;",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/p.png)",
    "<https://evil.example>",
    "```\n# Heading\n```",
    "`` ` ``` ````",
    "# not a heading\n- not a list\n> not a quote\n---",
    "**bold** _it_ ~~gone~~ | a | b |",
    "@maintainer please, #1 and org/repo#2, GH-3",
    "https://evil.example www.evil.example mail@evil.example",
    "\\` \\<b> \\",
    "$\\text{x}$",
]


def _html(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))


def test_the_full_report(golden: Golden) -> None:
    golden(GOLDENS / "full.md", render(compose(FULL, Detail.VERBOSE)))


@pytest.mark.parametrize("attack", ATTACKS)
def test_evidence_never_becomes_markup(attack: str) -> None:
    html = _html(render(compose(hostile(attack), Detail.VERBOSE)))
    allowed = {"h2", "h3", "p", "strong", "code", "pre", "ul", "ol", "li", "details", "summary"}
    assert {tag.lower() for tag in re.findall(r"</?([a-zA-Z][a-zA-Z0-9]*)", html)} <= allowed
    assert set(re.findall(r"<[a-z0-9]+ ([^>]*)>", html)) <= {'start="1"'}
    assert html.count("<details>") == 1
    assert html.count("<h2>") == 1


@pytest.mark.parametrize("attack", ATTACKS)
def test_evidence_adds_no_blocks(attack: str) -> None:
    hostile_html = _html(render(compose(hostile(attack), Detail.VERBOSE)))
    plain_html = _html(render(compose(hostile("harmless"), Detail.VERBOSE)))
    for tag in ("h2", "h3", "p", "pre", "ul", "ol", "li"):
        assert hostile_html.count(f"<{tag}>") == plain_html.count(f"<{tag}>"), tag


def test_nobody_is_notified_outside_code() -> None:
    text = render(compose(hostile("@maintainer #1 GH-3 https://evil.example www.evil.example"), Detail.VERBOSE))
    outside = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", text)
    assert re.findall(r"[@#](?=\w)|GH-\d|://|www\.", outside) == []


def test_origin_survives_the_hostile_text_readably() -> None:
    assert escape("Node_a <b>") == "Node\\_a &lt;b&gt;"
    assert _html(escape("Node_a *b* `c` <d> & [e]")) == "<p>Node_a *b* `c` &lt;d&gt; &amp; [e]</p>\n"


@pytest.mark.parametrize("text", ["a`b", "`", "``x``", " x ", "a``` b", "\\"])
def test_a_code_span_holds_exactly_its_text(text: str) -> None:
    html = _html(f"x{code_span(text)}y")
    assert html == f"<p>x<code>{text}</code>y</p>\n"


def test_code_blocks_inside_lists_cannot_be_ended_by_their_content() -> None:
    html = _html(render(Document((), (paragraph("x"), Code(("```", "# h", "~~~", "````"))))))
    assert html.endswith("<p>x</p>\n<pre><code>```\n# h\n~~~\n````\n</code></pre>\n")
