"""What verbs print as JSON, exactly as the published contracts name it, and the contracts' JSON Schemas."""

from __future__ import annotations

import re

import msgspec
import msgspec.structs

from kubereach.model.diagnosis import Diagnosis

# Characters that JSON allows bare and a terminal obeys, or that make text read differently than it is.
_BARE = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"


def render(answer: msgspec.Struct) -> str:
    """`answer` as indented JSON; every field is present, and keys come in the contract's order."""
    try:
        raw = msgspec.json.encode(answer)
    except UnicodeEncodeError:  # lone surrogates, from file names that are no UTF-8
        raw = msgspec.json.encode(_encodable(msgspec.to_builtins(answer)))
    return _escaped(msgspec.json.format(raw, indent=2).decode()) + "\n"


def schema(answer: type[msgspec.Struct] = Diagnosis) -> str:
    """The JSON Schema (2020-12) of what `render` returns; the field `schema` of the type names the contract."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": next(f.default for f in msgspec.structs.fields(answer) if f.name == "schema"),
        **msgspec.json.schema(answer),
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
