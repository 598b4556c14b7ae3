"""Descriptions of custom resources: kubectl prints every field under a label made of its name, lists without dashes.

Rules of printUnstructuredContent in k8s.io/kubectl/pkg/describe/describe.go: fields sorted by name, maps and lists
indented by two, a list's objects one after another without a mark, its scalars as bare lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubereach.evidence.kubernetes.fields import field_of, is_list, is_text, known_fields
from kubereach.evidence.kubernetes.outline import Entry
from kubereach.evidence.kubernetes.paths import REDACTED, is_secret_key, join, typed
from kubereach.model.fact import Scalar

Leaf = tuple[str, Scalar, int]
_MAX_DEPTH = 40


def flatten(entries: Sequence[Entry], path: str = "", parent: str = "", depth: int = 0) -> Iterator[Leaf]:
    """The leaves of the fields of one object, as (API path, value, index of the line)."""
    if depth > _MAX_DEPTH:
        return
    for entry in entries:
        if entry.label is not None:
            yield from _field(entry, path, field_of(entry.label, parent), depth)


def _field(entry: Entry, path: str, field: str, depth: int) -> Iterator[Leaf]:
    here = join(path, field)
    if entry.value:
        yield here, _value(field, entry.value), entry.line
    elif not entry.children:
        yield here, None if is_list(field) else "", entry.line
    elif is_list(field) or _is_list_like(entry.children):
        yield from _elements(entry.children, here, field, depth)
    else:
        yield from flatten(entry.children, here, field, depth + 1)


def _value(field: str, text: str) -> Scalar:
    if is_secret_key(field):
        return REDACTED
    return text if is_text(field) else typed(text)


def _is_list_like(children: Sequence[Entry]) -> bool:
    """Whether a container of unknown type must be a list: bare lines, or a key that comes twice."""
    labels = [child.label for child in children]
    return None in labels or len(set(labels)) < len(labels)


def _elements(children: Sequence[Entry], path: str, field: str, depth: int) -> Iterator[Leaf]:
    """The elements of a list. A key that was there before, or that sorts before the last one, opens the next."""
    index = -1
    taken: set[str] = set()
    last = ""
    for child in children:
        if child.label is None:
            index += 1
            taken, last = set(), ""
            yield f"{path}[{index}]", typed(child.value), child.line
            continue
        name = field_of(child.label, field)
        if index < 0 or not taken or name in taken or (name < last and known_fields() >= {name, last}):
            index += 1
            taken = set()
        taken.add(name)
        last = name
        yield from _field(child, f"{path}[{index}]", name, depth + 1)
