"""The answer: exactly the object that `-o json` prints and `kubereach schema` describes.

Field names and order are the published contract `kubereach/diagnosis/v1`; add, never rename or remove.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct, field

SCHEMA = "kubereach/diagnosis/v1"


class Verdict(StrEnum):
    """What the client gets: degraded when some branches or clients fail."""

    REACHABLE = "reachable"
    DEGRADED = "degraded"
    UNREACHABLE = "unreachable"
    UNDETERMINED = "undetermined"


class Role(StrEnum):
    """root: removing it (or it with others) makes the flow work; contributing: on the failing path, not enough alone;

    latent: would bite after the repair; misread: nothing is broken, the observation was misunderstood.
    """

    ROOT = "root"
    CONTRIBUTING = "contributing"
    LATENT = "latent"
    MISREAD = "misread"


class Owner(StrEnum):
    """Who must act."""

    CLUSTER = "cluster"
    HOST = "host"
    NETWORK = "network"
    CLIENT = "client"
    APPLICATION = "application"


class Target(Struct, frozen=True, kw_only=True):
    """The flow that was diagnosed; a field is null when the evidence does not give it."""

    service: str | None = None
    address: str | None = None
    port: int | None = None
    protocol: str = "TCP"
    from_: str | None = field(default=None, name="from")


class Because(Struct, frozen=True, kw_only=True):
    """A piece of evidence and what it says."""

    origin: str
    says: str


class Repair(Struct, frozen=True, kw_only=True):
    """A change, and what a second walk through the changed model showed."""

    summary: str
    commands: tuple[str, ...] = ()
    proved: bool = False
    clears: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    side_effects: tuple[str, ...] = ()
    condition: str = ""  # what must hold for it to work; "" for nothing


class Disruption(StrEnum):
    """How much a change disturbs, the least first."""

    SERVICE = "service"  # one service's object
    WORKLOAD = "workload"  # where pods run, and how many
    NODE = "node"  # a node's label
    AGENT = "agent"  # an agent's configuration or restart
    HOST = "host"  # a node's own operating system
    CLUSTER = "cluster"  # how all nodes carry pods and announce addresses
    ROUTER = "router"  # a device that others run
    CLIENTS = "clients"  # each client


class SettingChange(Struct, frozen=True, kw_only=True):
    """One thing that must change, and who does it; `without` is what stops the flow where all else is changed."""

    summary: str
    owner: Owner
    disruption: Disruption
    commands: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class Remedy(Struct, frozen=True, kw_only=True):
    """A smallest set of changes after which the flow works on every branch, there and back; none of them can be spared.

    `works_in` is the share of what is likely, given that the flow fails, in which it does; `clears` and `breaks` are
    flows, of every service and by every entry node, in the likeliest world.
    """

    changes: tuple[SettingChange, ...]
    proved: bool = False
    works_in: float = 0.0
    clears: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    side_effects: tuple[str, ...] = ()


class Cause(Struct, frozen=True, kw_only=True):
    """One cause; `probability` is marginal. `class` comes from the public vocabulary, `code` is the fault's own."""

    code: str
    class_: str = field(name="class")
    subject: str
    role: Role
    probability: float
    alternative_of: str | None = None
    owner: Owner
    summary: str
    because: tuple[Because, ...] = ()
    repairs: tuple[Repair, ...] = ()
    hides: tuple[str, ...] = ()  # codes of latent causes that would stop the flow once this one is gone


class Effect(Struct, frozen=True, kw_only=True):
    """What is certain (or nearly so) though its cause is not: the causes split its probability."""

    says: str
    probability: float
    causes: tuple[str, ...] = ()


class Cleared(Struct, frozen=True, kw_only=True):
    """A suspect that the evidence acquits."""

    code: str
    because: tuple[Because, ...] = ()


class ObservationReport(Struct, frozen=True, kw_only=True):
    """What was seen, and what it means (and does not mean)."""

    origin: str
    says: str
    means: str = ""
    explained_by: tuple[str, ...] = ()


class WalkStep(Struct, frozen=True, kw_only=True):
    """One step of the packet. Five-tuples are `PROTO src:port > dst:port`; unknown parts are empty."""

    kind: str
    device: str
    says: str
    in_interface: str = ""
    out_interface: str = ""
    mac: str = ""
    before: str = ""
    after: str = ""
    basis: Literal["observed", "derived", "assumed", "unknown"] = "derived"
    origins: tuple[str, ...] = ()


class WalkReport(Struct, frozen=True, kw_only=True):
    """The packet's way there and back, ending in the disposition of each direction."""

    forward: tuple[WalkStep, ...] = ()
    return_: tuple[WalkStep, ...] = field(default=(), name="return")


class Contradiction(Struct, frozen=True, kw_only=True):
    """Two layers that disagree: what should be and what was seen, or two pieces of evidence."""

    expected: str
    seen: str
    at: str
    origins: tuple[str, ...] = ()
    reconciliation: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """One possible answer of a probe, and what it would mean."""

    answer: str
    implies: str


class NextProbe(Struct, frozen=True, kw_only=True):
    """A question worth asking. `separates` holds at most four codes or classes."""

    where: str
    command: str
    separates: tuple[str, ...] = ()
    gain_bits: float = 0.0  # expected information about the causes
    cost_seconds: float = 0.0  # of a person's time, with what it takes to get the right
    privilege: str = "none"  # none, exec, root, router
    risk: str = "none"
    if_answer: tuple[Answer, ...] = ()


class UnreadSpan(Struct, frozen=True, kw_only=True):
    """Lines that no reader understood."""

    origin: str
    text: str = ""


class Diagnosis(Struct, frozen=True, kw_only=True):
    """The whole answer."""

    schema: str = SCHEMA
    target: Target
    verdict: Verdict
    causes: tuple[Cause, ...] = ()
    effects: tuple[Effect, ...] = ()
    residual: float = 0.0
    cleared: tuple[Cleared, ...] = ()
    observations: tuple[ObservationReport, ...] = ()
    walk: WalkReport = WalkReport()
    contradictions: tuple[Contradiction, ...] = ()
    next_probes: tuple[NextProbe, ...] = ()
    remedies: tuple[Remedy, ...] = ()  # alternatives, the least disruptive first
    what_if: tuple[Repair, ...] = ()  # changes that people try, and what they would (not) do
    understood: tuple[Because, ...] = ()  # tokens of prose that were taken as low-trust facts
    assumed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unread: tuple[UnreadSpan, ...] = ()
