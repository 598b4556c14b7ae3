"""What changed between two bundles: exactly the object that `kubereach diff -o json` prints.

Field names and order are the published contract `kubereach/diff/v1`; add, never rename or remove.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from kubereach.model.diagnosis import Because, Target, Verdict

SCHEMA = "kubereach/diff/v1"


Kind = Literal[
    "object", "route", "session", "address", "link", "neighbour", "virtual-server", "lookup", "probe", "setting"
]


class EvidenceChange(Struct, frozen=True, kw_only=True):
    """A thing that both bundles cover, and that one shows otherwise or not at all.

    `what` is an object's field path (empty for the object itself), a route's table and prefix, a session's peer, a
    setting's name. `before` and `after` are null where a complete listing lacks it.
    """

    kind: Literal[
        "object", "route", "session", "address", "link", "neighbour", "virtual-server", "lookup", "probe", "setting"
    ]
    change: Literal["added", "removed", "changed"]
    subject: str
    what: str = ""
    before: str | None = None
    after: str | None = None
    origins_before: tuple[str, ...] = ()
    origins_after: tuple[str, ...] = ()


class OneSided(Struct, frozen=True, kw_only=True):
    """A thing that one bundle shows and the other does not cover: not collected, and so not removed or added."""

    only_in: Literal["before", "after"]
    kind: Kind
    subject: str
    what: str = ""
    value: str = ""
    origins: tuple[str, ...] = ()


class ModelChange(Struct, frozen=True, kw_only=True):
    """A leaf of the model that evidence gives on both sides, with different values."""

    subject: str
    leaf: str
    before: str
    after: str
    origins_before: tuple[str, ...] = ()
    origins_after: tuple[str, ...] = ()


class Explanation(Struct, frozen=True, kw_only=True):
    """A smallest set of changes that makes the flow fare as it does afterwards, put into the model of before.

    `probability` is the share of the worlds likely before in which it does. `because` is what the second bundle shows
    that such a world expects and the one before did not.
    """

    changes: tuple[str, ...]
    probability: float
    because: tuple[Because, ...] = ()


class Difference(Struct, frozen=True, kw_only=True):
    """The whole answer; `undecided` says what it cannot tell.

    `ends_before` and `ends_after` say how the flow ends in the likeliest world of each bundle, "" where it arrives.
    Where the verdict is the same and they differ, it is that difference that is explained.
    """

    schema: str = SCHEMA
    target: Target
    verdict_before: Verdict
    verdict_after: Verdict
    ends_before: str = ""
    ends_after: str = ""
    explained_by: tuple[Explanation, ...] = ()
    undecided: tuple[str, ...] = ()
    evidence: tuple[EvidenceChange, ...] = ()
    model: tuple[ModelChange, ...] = ()
    not_comparable: tuple[OneSided, ...] = ()
