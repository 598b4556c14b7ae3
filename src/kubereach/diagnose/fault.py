"""What a fault is: one module in diagnose/faults/ that names a cause and says what it does to a world.

Its docstring has the headings `What happens`, `How it looks`, `Confirm`, `Fix`, `Not to be confused with` and
`References`. It defines:

FAULT      the constant below
suspects   World → the subjects that may have it, each present, absent or unknown in this world
apply      World, Suspect → the leaves that it changes
remove     World, Suspect → the leaves whose change takes it out (for an unknown one, what apply changed, put right)
repair     World, Suspect → how a person would do that

and, where its mere presence does not mean that the flow has to do with it,

concerns   World, Suspect → whether the flow's walk in this world does

No fault reads evidence text: it sees a world's leaves, and the walk does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from math import log
from typing import Protocol

from msgspec import Struct

from kubereach.diagnose.chance import Chance
from kubereach.model.attribute import ANNOUNCER, POLICY
from kubereach.model.diagnosis import Owner
from kubereach.model.origin import Origin
from kubereach.simulate.announced import has_local
from kubereach.simulate.walk import Packet, walk
from kubereach.simulate.world import Changes, World


class Presence(StrEnum):
    """Whether a world has the fault: seen to be there, seen not to be, or not known."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Fault(Struct, frozen=True, kw_only=True):
    """A named cause. `prior` is the chance that a troubled cluster of the fitting stack has it at one subject.

    `summary` may hold `{name}` for the subject. A `standing` fault is a condition of the whole cluster that hurts
    other flows too; where it is no root of this one, it is reported as latent.
    """

    code: str
    class_: str
    layer: str
    owner: Owner
    prior: Chance
    summary: str
    standing: bool = False
    misread: bool = False
    by_design: bool = False  # what the products do as they are told to: a root only where nothing else mends the flow
    degrades: bool = False  # the flow works, and the complaint is about how


class Suspect(Struct, frozen=True, kw_only=True):
    """A fault at a subject. `prior` overrides the fault's own; `because` says what presence or absence rests on."""

    fault: Fault
    subject: str
    presence: Presence = Presence.UNKNOWN
    prior: float | None = None
    because: tuple[tuple[Origin, str], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it among all suspects."""
        return (self.fault.code, self.subject)

    @property
    def chance(self) -> float:
        """The probability of it before any evidence."""
        return self.fault.prior if self.prior is None else self.prior

    @property
    def log_odds(self) -> float:
        """The logarithm of what its presence multiplies a hypothesis's weight with."""
        return log(self.chance / (1 - self.chance))

    @property
    def name(self) -> str:
        """The subject without its kind; what is the cluster's is every node's."""
        if self.subject == "cluster":
            return "every node"
        return self.subject.partition("/")[2] or self.subject


class Plan(Struct, frozen=True, kw_only=True):
    """How a person takes the fault out."""

    summary: str
    commands: tuple[str, ...] = ()
    side_effects: tuple[str, ...] = ()
    condition: str = ""


class FaultModule(Protocol):
    """The shape of a module in diagnose/faults/."""

    FAULT: Fault

    def suspects(self, world: World) -> Iterable[Suspect]: ...  # noqa: D102

    def apply(self, world: World, suspect: Suspect) -> Changes: ...  # noqa: D102

    def remove(self, world: World, suspect: Suspect) -> Changes: ...  # noqa: D102

    def repair(self, world: World, suspect: Suspect) -> Plan: ...  # noqa: D102


def on_nodes(fault: Fault, nodes: Iterable[str], prior: float | None = None) -> Iterable[Suspect]:
    """An unknown suspect for each of `nodes`."""
    return (Suspect(fault=fault, subject=node, prior=prior) for node in nodes)


def announcing_nodes(world: World) -> tuple[str, ...]:
    """The nodes whose announcement matters most to the flow: those with a ready endpoint under policy Local.

    Under policy Cluster each node matters alike, and all are named.
    """
    service = world.network.flow.service
    local = tuple(n for n in world.network.nodes if has_local(world, service, n))
    return local if world.get(service, POLICY) == "Local" and local else world.network.nodes


def entry_nodes(world: World) -> tuple[str, ...]:
    """The nodes that the flow enters in this world; all of them where it enters none."""
    flow = world.network.flow
    found = walk(world, flow.service, Packet(flow.source, flow.address, flow.port or 80))
    return tuple(dict.fromkeys(b.entry for b in found.branches if b.entry)) or announcing_nodes(world)


def speaks_bgp(world: World) -> bool:
    """Whether the address is announced over BGP."""
    return world.get("cluster", ANNOUNCER).endswith(("bgp", "kube-router", "openelb"))


def speaks_layer2(world: World) -> bool:
    """Whether the address is announced by answering ARP or NDP."""
    return world.get("cluster", ANNOUNCER).endswith(("-l2", "-arp"))
