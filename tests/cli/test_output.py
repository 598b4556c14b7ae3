from __future__ import annotations

import io
import sys

import pytest

from kubereach.cli import output


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_columns_decides_the_width_up_to_what_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    assert output.output_width() == 72
    monkeypatch.setenv("COLUMNS", "400")
    assert output.output_width() == 120
    monkeypatch.setenv("COLUMNS", "wide")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert output.output_width() == 80


def test_colour_needs_a_terminal_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert not output.wants_colour()
    monkeypatch.setattr(sys, "stdout", _Terminal())
    assert output.wants_colour()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not output.wants_colour()
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert not output.wants_colour()
