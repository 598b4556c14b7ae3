"""The JSON of every verb is described by `kubereach schema VERB`, under names that never change."""

from __future__ import annotations

import json
from importlib import import_module

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from kubereach.cli.main import VERBS
from kubereach.cli.schema import TYPES
from kubereach.report.jsonform import schema
from tests.cli.running import run

OUTCOME = {"result", "probability", "why", "settled_by"}
ROW = {"service", "address", "ports", "protocol", "source", "via", "alike", "effect", "before", "after"}
# The published names, written out: renaming a field of the model must fail here.
KEYS: dict[str, dict[str, set[str]]] = {
    "next": {
        "NextList": {"schema", "target", "verdict", "questions", "missing"},
        "Asked": {
            "who", "where", "command", "gain_bits", "cost_seconds", "privilege", "risk", "separates", "if_answer",
        },
    },
    "what-if": {
        "WhatIf": {"schema", "target", "changes", "flow", "rows", "assumed"},
        "Change": {"action", "subject", "path", "before", "after", "origin", "note"},
        "Row": ROW,
        "Outcome": OUTCOME,
    },
    "diff": {
        "Difference": {
            "schema", "target", "verdict_before", "verdict_after", "ends_before", "ends_after", "explained_by",
            "undecided", "evidence", "model", "not_comparable",
        },
        "EvidenceChange": {
            "kind", "change", "subject", "what", "before", "after", "origins_before", "origins_after",
        },
        "OneSided": {"only_in", "kind", "subject", "what", "value", "origins"},
        "ModelChange": {"subject", "leaf", "before", "after", "origins_before", "origins_after"},
        "Explanation": {"changes", "probability", "because"},
    },
    "collect-list": {
        "Listed": {"schema", "head", "ranked", "note", "items"},
        "Item": {"where", "command", "gives", "privilege", "only_if", "separates", "answers"},
    },
    "formats": {"Formats": {"schema", "formats"}, "Format": {"name", "title", "reads", "not_read", "asks"}},
}  # fmt: skip


def _type(verb: str) -> type[msgspec.Struct]:
    module, name = TYPES[verb]
    found: type[msgspec.Struct] = getattr(import_module(module), name)
    return found


@pytest.mark.parametrize("verb", KEYS)
def test_names_are_contracts(verb: str) -> None:
    contract = json.loads(schema(_type(verb)))
    jsonschema.Draft202012Validator.check_schema(contract)
    assert contract["title"] == f"kubereach/{verb}/v1"
    for name, keys in KEYS[verb].items():
        assert set(contract["$defs"][name]["properties"]) == keys


def test_every_verb_that_prints_json_has_a_schema() -> None:
    printing = [verb for verb in VERBS if "json" in run(verb, "--help").stdout.partition("--output")[2][:80]]
    assert sorted(printing) == sorted(TYPES)
    assert set(KEYS) == TYPES.keys() - {"diagnose"}


@pytest.mark.parametrize(("verb", "words"), [("formats", ("tcpdump",)), ("collect-list", ())])
def test_what_is_printed_fits(verb: str, words: tuple[str, ...]) -> None:
    contract = json.loads(run("schema", verb).stdout)
    jsonschema.validate(json.loads(run(verb, *words, "-o", "json").stdout), contract, jsonschema.Draft202012Validator)


def test_without_a_verb_it_is_the_diagnosis() -> None:
    assert run("schema").stdout == run("schema", "diagnose").stdout
    assert run("schema", "explain").returncode == 2
