"""stated.yaml: settings that a person knows and did not paste.

Reads: a list of `{subject, attribute, value}` with optional `note`, `given`, `time`, in flow or block style.
Ask: none; people write it.
Facts: Setting with trust STATED; the attribute verbatim; a list gives one Setting per element, a map one per key with
the key appended to the attribute (`endpoints[0].ip` inside a list of maps).
Not read: entries without a subject, an attribute or a value, or with fields that nobody knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubereach.evidence.capture import Capture
from kubereach.evidence.kubernetes.paths import REDACTED, canonical_scalar, is_secret_key
from kubereach.evidence.kubernetes.yaml_leaves import (
    TooLargeError,
    child,
    items,
    leaves_of,
    pairs,
    scalar,
    sequence_entries,
    shape,
    text_of,
)
from kubereach.evidence.reader import Reading, spans
from kubereach.model.address import canonical_address
from kubereach.model.fact import Scalar, Setting, Trust

if TYPE_CHECKING:
    from yaml import Node

COMMANDS = (r"^(?:cat )?(?:\S{0,200}/)?stated\.ya?ml$",)
SIGNATURES = (r"- \{ ?subject: ?\S", r"- subject: ?\S+\s*$")
ASKS = ()
_KNOWN = frozenset({"subject", "attribute", "value", "note", "given", "time"})


def read(capture: Capture) -> Reading:
    """A capture of stated.yaml → facts; see the module's heading."""
    facts: list[Setting] = []
    unread = {i for i, line in enumerate(capture.lines) if line.strip() and not line.lstrip().startswith(("#", "---"))}
    for start, end, entry in sequence_entries(capture.lines):
        found = [] if entry is None else _facts(capture, entry, start, end)
        facts += found
        if found:
            unread.difference_update(range(start, end))
    return Reading(tuple(facts), spans(unread))


def _facts(capture: Capture, entry: Node, start: int, end: int) -> list[Setting]:
    fields = dict(pairs(entry))
    subject, attribute = text_of(fields.get("subject")), text_of(fields.get("attribute"))
    value = child(entry, "value")
    if not subject or not attribute or value is None or not fields.keys() <= _KNOWN:
        return []
    return [
        Setting(
            origin=capture.origin(start, end),
            trust=Trust.STATED,
            taken=text_of(fields.get("time")) or capture.taken,
            given=text_of(fields.get("given")),
            subject=_subject(subject),
            attribute=path,
            value=REDACTED if is_secret_key(path.rpartition(".")[2]) else canonical_scalar(content),
        )
        for path, content in _values(value, attribute)
    ]


def _values(value: Node, attribute: str) -> list[tuple[str, Scalar]]:
    if shape(value) == "scalar":
        return [(attribute, scalar(value))]
    elements = items(value)
    if elements and all(shape(element) == "scalar" for element in elements):
        return [(attribute, scalar(element)) for element in elements]
    try:
        return [(path, content) for path, content, _ in leaves_of(value, attribute)]
    except TooLargeError:
        return []


def _subject(text: str) -> str:
    """A bare address, or `KIND/ADDRESS`, in its canonical spelling; everything else verbatim."""
    kind, slash, rest = text.partition("/")
    if slash:
        return f"{kind}/{canonical_address(rest) or rest}"
    return canonical_address(text) or text
