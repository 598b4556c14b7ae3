"""The diagnosis as JSON, exactly as the published contract names it, and the contract's JSON Schema."""

from __future__ import annotations

import re

import msgspec

from kubereach.model.diagnosis import Diagnosis

# Characters that JSON allows bare and a terminal obeys, or that make text read differently than it is.
_BARE = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"


def render(diagnosis: Diagnosis) -> str:
    """`diagnosis` as indented JSON; every field is present, and keys come in the contract's order."""
    try:
        raw = msgspec.json.encode(diagnosis)
    except UnicodeEncodeError:  # lone surrogates, from file names that are no UTF-8
        raw = msgspec.json.encode(_encodable(msgspec.to_builtins(diagnosis)))
    return _escaped(msgspec.json.format(raw, indent=2).decode()) + "\n"


def schema() -> str:
    """The JSON Schema (2020-12) of what `render` returns."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kubereach/diagnosis/v1",
        **msgspec.json.schema(Diagnosis),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _escaped(text: str) -> str:
    """Such characters occur in strings only, so their escapes may be put in without parsing."""
    return re.sub(f"[{_BARE}]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
