from __future__ import annotations

import json

import jsonschema  # type: ignore[import-untyped]

from kubereach.model.diagnosis import Diagnosis
from kubereach.report.jsonform import render, schema
from tests.report.hostile import hostile
from tests.report.sample import FULL

BECAUSE = {"origin", "says"}
REPAIR = {"summary", "commands", "proved", "clears", "breaks", "side_effects", "condition"}
STEP = {
    "kind", "device", "says", "in_interface", "out_interface", "mac", "before", "after", "basis", "origins",
}  # fmt: skip

# The published names, written out: renaming a field of the model must fail here.
KEYS: dict[str, set[str]] = {
    "": {
        "schema", "target", "verdict", "causes", "effects", "residual", "cleared", "observations", "walk",
        "contradictions", "next_probes", "remedies", "what_if", "understood", "assumed", "missing", "unread",
    },
    "target": {"service", "address", "port", "protocol", "from"},
    "causes": {
        "code", "class", "subject", "role", "probability", "alternative_of", "owner", "summary", "because", "repairs",
        "hides",
    },
    "causes.because": BECAUSE,
    "causes.repairs": REPAIR,
    "effects": {"says", "probability", "causes"},
    "cleared": {"code", "because"},
    "cleared.because": BECAUSE,
    "observations": {"origin", "says", "means", "explained_by"},
    "walk": {"forward", "return"},
    "walk.forward": STEP,
    "walk.return": STEP,
    "contradictions": {"expected", "seen", "at", "origins", "reconciliation"},
    "next_probes": {"where", "command", "separates", "gain_bits", "cost_seconds", "privilege", "risk", "if_answer"},
    "next_probes.if_answer": {"answer", "implies"},
    "remedies": {"changes", "proved", "works_in", "clears", "breaks", "side_effects"},
    "remedies.changes": {"summary", "owner", "disruption", "commands", "without"},
    "what_if": REPAIR,
    "understood": BECAUSE,
    "unread": {"origin", "text"},
}  # fmt: skip


def _keys(value: object, path: str, found: dict[str, set[str]]) -> None:
    if isinstance(value, list):
        for item in value:
            _keys(item, path, found)
    if isinstance(value, dict):
        found.setdefault(path, set(value))
        assert found[path] == set(value), path
        for key, item in value.items():
            _keys(item, f"{path}.{key}".lstrip("."), found)


def test_the_full_diagnosis_validates_against_the_published_schema() -> None:
    contract = json.loads(schema())
    jsonschema.Draft202012Validator.check_schema(contract)
    jsonschema.validate(json.loads(render(FULL)), contract, jsonschema.Draft202012Validator)


def test_the_schema_refuses_what_is_not_a_diagnosis() -> None:
    document = json.loads(render(FULL))
    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    assert list(validator.iter_errors({**document, "verdict": "broken"}))
    assert list(validator.iter_errors({key: item for key, item in document.items() if key != "target"}))


def test_keys_are_exactly_the_contracts() -> None:
    found: dict[str, set[str]] = {}
    _keys(json.loads(render(FULL)), "", found)
    assert found == KEYS


def test_every_key_is_there_even_when_it_is_empty() -> None:
    empty = json.loads(render(Diagnosis(target=FULL.target, verdict=FULL.verdict)))
    assert set(empty) == KEYS[""]
    assert empty["schema"] == "kubereach/diagnosis/v1"


def test_untrusted_text_is_escaped_and_comes_back_whole() -> None:
    payload = "\x1b[31m \x9b2J \x7f \u202e </script> ルーター"
    text = render(hostile(payload))
    assert not {"\x1b", "\x9b", "\x7f", "\u202e"} & set(text)
    assert json.loads(text)["assumed"][0].endswith(payload)


def test_a_file_name_that_is_no_text_does_not_break_the_form() -> None:
    import msgspec

    assert json.loads(render(msgspec.structs.replace(FULL, missing=("\udcff.txt",))))["missing"] == ["?.txt"]
