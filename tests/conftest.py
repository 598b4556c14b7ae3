"""What all tests share: goldens that `pytest --accept` rewrites, and programs that heed Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the goldens with what comes out now")


def pytest_configure() -> None:
    # A shell's background job ignores SIGINT, and whatever it starts inherits that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    """Whether goldens are to be rewritten."""
    return bool(request.config.getoption("--accept"))


@pytest.fixture
def golden(accept: bool) -> Golden:  # noqa: FBT001 - a fixture, not an argument
    """Compare text with a golden file, byte for byte; with `--accept`, write it."""

    def compare(path: Path, text: str) -> None:
        if accept:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        assert path.exists(), f"{path} is missing: look at the output and run pytest --accept"
        assert text == path.read_bytes().decode(), f"{path.name} differs; if that is right, run pytest --accept"

    return compare
