from __future__ import annotations

import json

import pytest

from kubereach.evidence.catalogue import formats
from kubereach.evidence.shell import innermost
from kubereach.evidence.sniff import by_command, index
from tests.cli.running import assert_two_lines, run


def test_every_reader_is_a_format_with_its_description() -> None:
    found = formats()
    assert [entry.name for entry in found] == [name for name, _, _ in index()]
    assert [entry.name for entry in found if not entry.title or not entry.reads] == []
    assert {entry.name for entry in found if not entry.asks} <= {"observed", "stated"}


@pytest.mark.parametrize("entry", formats(), ids=lambda entry: entry.name)
def test_what_a_format_asks_for_is_read_by_it(entry: object) -> None:
    """A command that is recommended leads to the reader that recommends it."""
    from kubereach.evidence.catalogue import Format

    assert isinstance(entry, Format)
    for ask in entry.asks:
        assert entry.name in by_command(innermost(ask.command).command), ask.command


def test_text_names_command_and_place() -> None:
    done = run("formats", "ipvsadm")
    assert done.returncode == 0
    assert "  $ ipvsadm -Ln\n      on the node, as root: " in done.stdout


def test_words_narrow_the_list_and_json_is_the_same_list() -> None:
    document = json.loads(run("formats", "mikrotik", "-o", "json").stdout)
    assert document["schema"] == "kubereach/formats/v1"
    names = {entry["name"] for entry in document["formats"]}
    assert {"routeros_bgp", "routeros_route"} <= names
    assert "kubectl_table" not in names


def test_an_unknown_word_is_a_usage_error() -> None:
    done = run("formats", "zzzz")
    assert done.returncode == 2
    assert_two_lines(done)
