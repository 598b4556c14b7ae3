"""What is worth asking next: exactly the object that `kubereach next -o json` prints.

Field names and order are the published contract `kubereach/next/v1`; add, never rename or remove.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from kubereach.model.diagnosis import Answer, Target, Verdict

SCHEMA = "kubereach/next/v1"


class Asked(Struct, frozen=True, kw_only=True):
    """One question. `who` must run it: a node, the router, the client, or anybody with kubectl (cluster).

    `gain_bits` is what the answer is expected to tell about the causes, `cost_seconds` a person's time with getting the
    right to it. `separates` holds at most four codes.
    """

    who: Literal["cluster", "node", "router", "client"]
    where: str
    command: str
    gain_bits: float
    cost_seconds: float
    privilege: str  # none, exec, root, router
    risk: str
    separates: tuple[str, ...] = ()
    if_answer: tuple[Answer, ...] = ()


class NextList(Struct, frozen=True, kw_only=True):
    """The questions, most information per second first; `missing` is what was not collected at all."""

    schema: str = SCHEMA
    target: Target
    verdict: Verdict
    questions: tuple[Asked, ...] = ()
    missing: tuple[str, ...] = ()
