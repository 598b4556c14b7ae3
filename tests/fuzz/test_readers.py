"""A reduced count of `python -m tests.fuzz`."""

from __future__ import annotations

import pytest

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Reading
from kubereach.evidence.sniff import index
from tests.fuzz.fuzzing import BrokenError, check, fuzz


@pytest.mark.parametrize("reader", [name for name, _, _ in index()])
def test_mutated_goldens_are_read_within_the_contract(reader: str) -> None:
    count, _ = fuzz(reader, 300, seed=7)
    assert count == 300


def test_the_check_finds_a_broken_contract() -> None:
    capture = Capture(source="x", lines=("a", "b"))
    with pytest.raises(BrokenError):
        check(Reading(unread=((0, 3),)), capture)
