"""YAML (and JSON, which is YAML) to leaves with true line numbers, bounded against hostile input.

PyYAML's composer is used without constructors: no tag ever becomes an object. Aliases are followed within a budget of
leaves and a depth; text nested deeper than any manifest is refused before it is parsed, since libyaml recurses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kubereach.evidence.kubernetes.paths import (
    LAST_APPLIED,
    REDACTED,
    canonical_scalar,
    is_secret_key,
    join,
    redact_argument,
)
from kubereach.model.fact import Scalar

if TYPE_CHECKING:
    from yaml import Node

Leaf = tuple[str, Scalar, int]
MAX_DEPTH = 64
MAX_LEAVES = 200_000
_MAX_TEXT = 32_000_000
_SKIPPED = frozenset({"metadata.managedFields"})


class TooLargeError(ValueError):
    """A document holds more leaves, or nests deeper, than any real one."""


@lru_cache(maxsize=1)
def _loader() -> Any:  # noqa: ANN401 - the C loader has no type of its own
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose(text: str) -> tuple[Node | None, int | None]:
    """The root of the first document in `text` and None, or None and the line of the error (0 when unknown)."""
    import yaml

    if _is_hostile(text):
        return None, 0
    # Line breaks that YAML knows and the capture's lines do not would shift the numbers.
    cleaned = re.sub(
        r"[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]", " ", text
    )
    cleaned = re.sub(r"(?m)^[ \t]*\t[ \t]*", lambda match: match.group().replace("\t", "    "), cleaned)
    try:
        loader = _loader()(cleaned)
        try:
            return (loader.get_node() if loader.check_node() else None), None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return None, mark.line if mark is not None else 0
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError, IndexError):
        return None, 0


def _is_hostile(text: str) -> bool:
    if len(text) > _MAX_TEXT or re.search(r"(?:[-?:] ){65}|(?<! ) {1200}|(?:[\[{][ \n]{0,8}){65}", text):
        return True
    depth = 0
    for character in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if character in "[{" else max(0, depth - 1)
        if depth > 400:
            return True
    return False


def compose_leading(lines: Sequence[str]) -> tuple[Node | None, int]:
    """The document in `lines`, or the longest leading part of it that can be read, and how many lines that is."""
    end = len(lines)
    for _ in range(6):
        if end <= 0:
            break
        root, wrong = compose("\n".join(lines[:end]))
        if wrong is None:
            return root, end
        end = min(wrong, end - 1)
    return None, 0


def scalar(node: Node) -> Scalar:
    """The value of a scalar node: null, booleans, integers and floats typed, everything else as text."""
    value: str = node.value
    tag = node.tag.rpartition(":")[2]
    if getattr(node, "style", None) in {'"', "'", "|", ">"}:
        tag = "str"
    if tag == "null":
        return None
    if tag == "bool":
        return value.lower() in {"true", "yes", "on"}
    if tag == "int" and re.fullmatch(r"[-+]?(?:0|[1-9][0-9]{0,17})", value):
        return int(value)
    if tag == "float" and re.fullmatch(r"[-+]?\d{1,30}\.\d{0,30}(?:[eE][-+]?\d{1,2})?", value):
        return float(value)
    return canonical_scalar(value)


def shape(node: Node) -> str:
    """`mapping`, `sequence` or `scalar`."""
    return str(getattr(node, "id", ""))


def pairs(node: Node | None) -> Iterator[tuple[str, Node]]:
    """The entries of a mapping node with scalar keys; nothing for any other node."""
    if node is not None and shape(node) == "mapping":
        for key, value in node.value:
            if shape(key) == "scalar":
                yield key.value, value


def child(node: Node | None, key: str) -> Node | None:
    """The value under `key` of a mapping node, or None."""
    return next((value for name, value in pairs(node) if name == key), None)


def items(node: Node | None) -> list[Node]:
    """The elements of a sequence node; [] for any other node."""
    return list(node.value) if node is not None and shape(node) == "sequence" else []


def text_of(node: Node | None) -> str:
    """The text of a scalar node; "" for any other node and for null."""
    if node is None or shape(node) != "scalar" or scalar(node) is None:
        return ""
    return str(node.value)


class _Walk:
    """Collects the leaves below a node."""

    def __init__(self, *, within: bool, budget: int) -> None:
        self.leaves: list[Leaf] = []
        self.budget = budget
        self.within = within  # whether texts that hold YAML are opened too

    def visit(self, node: Node, path: str, depth: int) -> None:
        self.budget -= 1
        if depth > MAX_DEPTH or self.budget < 0:
            raise TooLargeError
        line = node.start_mark.line
        if shape(node) == "mapping":
            self._mapping(node, path, depth)
        elif shape(node) == "sequence":
            is_arguments = path.endswith((".args", ".command"))
            for i, element in enumerate(node.value):
                if is_arguments and shape(element) == "scalar":
                    self.leaves.append((f"{path}[{i}]", redact_argument(str(element.value)), element.start_mark.line))
                else:
                    self.visit(element, f"{path}[{i}]", depth + 1)
        else:
            inner = _inner(node, path) if self.within and "\n" in node.value else None
            self.leaves += [(path, scalar(node), line)] if inner is None else inner
        if shape(node) != "scalar" and not node.value:
            self.leaves.append((path, None, line))

    def _mapping(self, node: Node, path: str, depth: int) -> None:
        name = text_of(child(node, "name"))
        for key, value in node.value:
            field = key.value if shape(key) == "scalar" else "?"
            here = join(path, str(field))
            if here in _SKIPPED or field == LAST_APPLIED:
                continue
            hidden = is_secret_key(str(field)) or (field == "value" and is_secret_key(name))
            if hidden and shape(value) == "scalar":
                self.leaves.append((here, REDACTED, value.start_mark.line))
            else:
                self.visit(value, here, depth + 1)


def leaves_of(node: Node, path: str = "", *, within: bool = False, budget: int = MAX_LEAVES) -> list[Leaf]:
    """The leaves below `node` as (path, value, line index); None stands for null and for an empty map or list.

    `within`: texts of several lines that are YAML themselves (ConfigMap data) are opened. Secrets come redacted,
    managedFields and the last applied configuration are left out. Raises TooLargeError.
    """
    walk = _Walk(within=within, budget=budget)
    walk.visit(node, path, 0)
    return walk.leaves


def text_leaves(text: str, path: str) -> list[Leaf] | None:
    """The leaves of a text that is a YAML mapping as a whole, below `path`; None when it is none (or is no YAML)."""
    if len(text) > 200_000 or not re.search(r"(?m)^\s*[\"{\w][^:\n]{0,80}:(?:\s|$)", text):
        return None
    root, wrong = compose(text)
    if wrong is not None or root is None or shape(root) != "mapping" or not root.value:
        return None
    try:
        return leaves_of(root, path)
    except TooLargeError:
        return None


def _inner(node: Node, path: str) -> list[Leaf] | None:
    found = text_leaves(node.value, path)
    if found is None:
        return None
    is_block = getattr(node, "style", None) == "|"
    first = node.start_mark.line
    return [(leaf, value, first + 1 + line if is_block else first) for leaf, value, line in found]


def sequence_entries(lines: Sequence[str]) -> Iterator[tuple[int, int, Node | None]]:
    """The entries of a YAML list at the top: (start, end, its mapping), parsed one by one so that one bad entry costs
    only itself. The mapping is None, and its lines are numbered from `start`, when the entry cannot be read.
    """
    starts = [i for i, line in enumerate(lines) if re.match(r"- *\S|-$", line)]
    for start, behind in zip(starts, [*starts[1:], len(lines)], strict=False):
        end = start + 1
        while end < behind and (not lines[end].strip() or lines[end].startswith((" ", "\t"))):
            end += 1
        while end > start + 1 and not lines[end - 1].strip():
            end -= 1
        root, wrong = compose("\n".join(lines[start:end]))
        elements = items(root) if wrong is None else []
        is_mapping = len(elements) == 1 and shape(elements[0]) == "mapping"
        yield start, end, elements[0] if is_mapping else None
