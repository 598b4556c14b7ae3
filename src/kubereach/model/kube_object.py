"""Kubernetes objects as far as evidence shows them: paths and the fields that stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from kubereach.model.fact import Fact, Scalar, Trust
from kubereach.model.origin import Origin

ObjectKey = tuple[str, str, str]  # kind, namespace, name


class Field(Struct, frozen=True):
    """One leaf's value with its origin and trust; `others` are outweighed values."""

    value: Scalar
    origin: Origin
    trust: Trust
    others: tuple[tuple[str, Origin], ...] = ()


# The Lease that Cilium keeps for a service it announces by L2: this, its namespace, a dash and its name.
CILIUM_LEASE = "cilium-l2announce-"


Saying = tuple[Scalar, Origin, Trust]


class KubeObject:
    """An object as far as evidence shows it: paths to fields."""

    def __init__(self, kind: str, namespace: str, name: str) -> None:
        self.kind, self.namespace, self.name = kind, namespace, name
        self.fields: dict[str, Field] = {}
        self._said: dict[str, list[Saying]] = {}  # of paths that several facts are about, in their order

    def add(self, path: str, value: Scalar, fact: Fact) -> None:
        """Take a leaf in: the more trusted value wins, among equals the one that more outputs show, then the first.

        The others are kept beside it.
        """
        old = self.fields.get(path)
        if old is None:
            self.fields[path] = Field(value, fact.origin, fact.trust)
            return
        said = self._said.setdefault(path, [(old.value, old.origin, old.trust)])
        said.append((value, fact.origin, fact.trust))
        if old.value != value or old.others:
            self.fields[path] = _outvoted(said)

    def value(self, *paths: str) -> Scalar:
        """The value of the first of `paths` that is shown, or None."""
        for path in paths:
            if path in self.fields:
                return self.fields[path].value
        return None

    def text(self, *paths: str) -> str:
        """Like `value`, as text; "" for none."""
        value = self.value(*paths)
        return "" if value is None else str(value)

    def number(self, *paths: str) -> int | None:
        """Like `value`, as a number; None when it is none."""
        value = self.value(*paths)
        if isinstance(value, int):
            return value
        return int(value) if isinstance(value, str) and value.isdecimal() else None

    def origins(self, *prefixes: str) -> tuple[Origin, ...]:
        """The origins of all fields under `prefixes`, without repetition."""
        found = [f.origin for p, f in self.fields.items() if any(_under(p, prefix) for prefix in prefixes)]
        return tuple(dict.fromkeys(found))

    def shown_by(self, path: str) -> tuple[Origin, ...]:
        """The origins of all that say anything of `path`, outweighed or not."""
        if path not in self.fields:
            return ()
        said = self._said.get(path)
        return tuple(origin for _, origin, _ in said) if said else (self.fields[path].origin,)

    def trust(self, *prefixes: str) -> Trust:
        """The best trust among the fields under `prefixes`."""
        found = [f.trust for p, f in self.fields.items() if any(_under(p, prefix) for prefix in prefixes)]
        return max(found, default=Trust.OUTPUT)

    def has(self, prefix: str) -> bool:
        """Whether anything is shown at or under `prefix`."""
        return any(_under(path, prefix) for path in self.fields)

    def scalars(self, prefix: str) -> tuple[str, ...]:
        """The scalars of a list field, in order."""
        found = []
        for path, leaf in self.fields.items():
            match = re.fullmatch(re.escape(prefix) + r"\[(\d+)\]", path)
            if match and leaf.value is not None:
                found.append((int(match[1]), str(leaf.value)))
        return tuple(text for _, text in sorted(found))

    def elements(self, prefix: str) -> Iterator[KubeObject]:
        """The objects of a list field, each with paths below its element."""
        found: dict[int, KubeObject] = {}
        pattern = re.compile(re.escape(prefix) + r"\[(\d+)\]\.(.+)")
        for path, leaf in self.fields.items():
            if match := pattern.fullmatch(path):
                element = found.setdefault(int(match[1]), KubeObject(self.kind, self.namespace, self.name))
                element.fields[match[2]] = leaf
        for index in sorted(found):
            yield found[index]

    def mapping(self, prefix: str) -> dict[str, str]:
        """The keys and values of a map field such as `metadata.labels`."""
        found = {}
        for path, leaf in self.fields.items():
            if path.startswith(prefix) and (
                match := re.fullmatch(r"(?:\.([^.\[\]]+)|\[\"(.+)\"\])", path[len(prefix) :])
            ):
                found[match[1] or match[2]] = "" if leaf.value is None else str(leaf.value)
        return found


def _outvoted(said: list[Saying]) -> Field:
    """The field of which all that was `said`, with one vote for each output."""
    best = max(trust for _, _, trust in said)
    votes: dict[Scalar, set[tuple[str, str, str]]] = {}
    for value, origin, trust in said:
        if trust == best:
            votes.setdefault(value, set()).add((origin.source, origin.command, origin.host))
    most = max(votes, key=lambda value: len(votes[value]))  # the first of equals
    where = next(origin for value, origin, trust in said if value == most and trust == best)
    return Field(most, where, best, tuple((str(value), origin) for value, origin, _ in said if value != most))


def _under(path: str, prefix: str) -> bool:
    return path == prefix or (path.startswith(prefix) and path[len(prefix) :][:1] in {".", "["})
