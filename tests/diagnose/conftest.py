"""Tests of one input stay on one worker of pytest-xdist, so that its diagnosis is made once."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        call = getattr(item, "callspec", None)  # only a parametrised test has one
        for value in call.params.values() if call else ():
            if isinstance(value, Path):
                folder = value.parent if value.name in {"evidence", "bundle", "post.txt"} else value
                item.add_marker(pytest.mark.xdist_group(folder.name))
