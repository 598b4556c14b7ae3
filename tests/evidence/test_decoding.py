from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubereach.evidence.decoding import clean, decode, lines_of, split, unquote


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp932"])
def test_encodings(encoding: str) -> None:
    text = "$ ping 10.9.0.1 と打つと返事がありますが、ブラウザからは見えません\n" * 3
    if encoding in {"utf-16-le", "utf-16-be"}:
        text = "$ ping 10.9.0.1\n64 bytes from 10.9.0.1\n" * 3
    assert decode(text.encode(encoding)) == text


def test_latin1_and_torn_utf8() -> None:
    assert decode("Zugriff über den Router".encode("latin-1")) == "Zugriff über den Router"
    assert decode("マスターノード".encode()[:-1] + b"\n").startswith("マスターノー")


def test_lines_are_numbered_as_an_editor_does() -> None:
    assert split("a\r\nb\n\nc\x0bd\u2028e\n") == ["a", "b", "", "c\x0bd\u2028e"]
    assert split("a\rb\r") == ["a", "b"]
    assert split("") == []


@pytest.mark.parametrize(
    ("line", "cleaned"),
    [
        ("\x1b[1;32mnode\x1b[0m \x1b]0;title\x07x", "node x"),
        ("a\u00a0b\u200bc\ufeff\u3000d", "a bc d"),
        ("&gt; &lt;none&gt; &amp;&amp; &#39;x&#39; &quot;y&quot;", "> <none> && 'x' \"y\""),
        ("<pre><code>$ ip r</code></pre>", "$ ip r"),
        ("&amp;gt;", "&gt;"),
        ("a\tb  ", "a\tb"),
        ("<none>   <br/>", "<none>"),
    ],
)
def test_cleaning(line: str, cleaned: str) -> None:
    assert clean(line) == cleaned


def test_mail_quotes_go_and_curls_do_not() -> None:
    assert unquote(["> $ ip r", ">> default via 10.0.0.1", ">", "x"]) == ["$ ip r", "default via 10.0.0.1", "", "x"]
    sent = ["* Connected", "> GET / HTTP/1.1", "> Host: x", ">", "< HTTP/1.1 200 OK"]
    assert unquote(sent) == sent


@given(st.binary(max_size=400))
def test_any_bytes_have_lines(data: bytes) -> None:
    assert all("\n" not in line and line == line.rstrip() for line in lines_of(data))
