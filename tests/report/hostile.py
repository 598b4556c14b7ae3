"""The full diagnosis with every free text replaced by something that an attacker would paste."""

from __future__ import annotations

import msgspec

from kubereach.model.diagnosis import Diagnosis
from tests.report.sample import FULL

# Fields that hold one of a closed set of words, numbers or the contract's name.
_CLOSED = {
    "schema", "verdict", "role", "owner", "disruption", "basis", "protocol", "probability", "residual", "gain_bits",
    "port",
}  # fmt: skip


def hostile(payload: str) -> Diagnosis:
    """FULL with `payload` in every string that may come from evidence."""
    return msgspec.convert(_poison(msgspec.to_builtins(FULL), payload), Diagnosis)


def _poison(value: object, payload: str) -> object:
    if isinstance(value, dict):
        return {key: item if key in _CLOSED else _poison(item, payload) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_poison(item, payload) for item in value]
    return f"{value} {payload}" if isinstance(value, str) else value
