from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from kubereach.report.document import Detail, compose
from kubereach.report.htmlform import render
from tests.report.hostile import hostile
from tests.report.sample import FULL
from tests.report.test_markdown import ATTACKS


class _Outline(HTMLParser):
    """Tags and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[tuple[str, str]] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def _outline(page: str) -> _Outline:
    outline = _Outline()
    outline.feed(page)
    return outline


def test_the_page_says_what_the_diagnosis_says() -> None:
    text = _outline(render(compose(FULL))).text
    for saying in (FULL.causes[0].summary, FULL.causes[0].repairs[0].commands[0], FULL.next_probes[0].command):
        assert saying in text


@pytest.mark.parametrize("attack", [*ATTACKS, '" onload="x', "'><svg/onload=x>", "</style><script>x</script>"])
def test_evidence_is_text_only(attack: str) -> None:
    page = _outline(render(compose(hostile(attack), Detail.VERBOSE)))
    harmless = _outline(render(compose(hostile("harmless"), Detail.VERBOSE)))
    assert page.tags == harmless.tags
    assert page.attributes <= {("html", "lang"), ("meta", "charset"), ("meta", "http-equiv"), ("meta", "content"),
                               ("meta", "name"), ("strong", "class"), ("span", "class")}  # fmt: skip


def test_the_policy_allows_the_one_style_and_nothing_else() -> None:
    page = render(compose(FULL))
    style = re.search(r"(?s)<style>(.*?)</style>", page)
    assert style is not None
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page
    assert re.findall(r"<script|<link|<a |src=|url\(|@import|https?:", page) == []
