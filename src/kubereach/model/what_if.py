"""What a change would do: exactly the object that `kubereach what-if -o json` prints.

Field names and order are the published contract `kubereach/what-if/v1`; add, never rename or remove.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from kubereach.model.diagnosis import Target

SCHEMA = "kubereach/what-if/v1"


class Result(StrEnum):
    """How a flow fares; partly when it works badly, at times, or for some connections only."""

    WORKS = "works"
    PARTLY = "partly"
    FAILS = "fails"
    UNKNOWN = "insufficient information"


class Effect(StrEnum):
    """What a change does to one flow; open when one of its sides is not known."""

    CLEARED = "cleared"
    BREAKS = "breaks"
    SAME = "stays"
    OPEN = "open"


class Change(Struct, frozen=True, kw_only=True):
    """One change. `before` is null where nothing was shown, `after` where the field is taken away."""

    action: Literal["set", "down", "apply"]
    subject: str
    path: str = ""
    before: str | None = None
    after: str | None = None
    origin: str = ""  # where the value before stands
    note: str = ""


class Outcome(Struct, frozen=True, kw_only=True):
    """How a flow fares on one side of the change.

    `probability` is that of `result` over all likely worlds; where none is likely enough, the likeliest one's.
    `settled_by` are the commands that would say it.
    """

    result: Result
    probability: float
    why: str = ""
    settled_by: tuple[str, ...] = ()


class Row(Struct, frozen=True, kw_only=True):
    """One service address: `via` are the nodes it is led to, or empty for the way that packets really take.

    `source` is `client` (from outside) or the node or pod that the diagnosed flow starts at. `alike` are further
    services that share its fate in every respect.
    """

    service: str
    address: str
    ports: tuple[int, ...]
    protocol: str = "TCP"
    source: str = "client"
    via: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    effect: Effect
    before: Outcome
    after: Outcome


class WhatIf(Struct, frozen=True, kw_only=True):
    """The whole answer: `flow` is the diagnosed one, `rows` every service and entry node, it among them."""

    schema: str = SCHEMA
    target: Target
    changes: tuple[Change, ...]
    flow: Row
    rows: tuple[Row, ...] = ()
    assumed: tuple[str, ...] = ()
