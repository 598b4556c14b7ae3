"""The faults that there are, loaded by the generated index of their folder."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import cast

from kubereach.diagnose.fault import FaultModule, Suspect
from kubereach.diagnose.faults._index import FAULTS
from kubereach.simulate.world import World


@cache
def fault_module(code: str) -> FaultModule:
    """The module of a fault by its code. Raises KeyError for an unknown code."""
    return cast("FaultModule", import_module(f"kubereach.diagnose.faults.{FAULTS[code][0]}"))


def all_suspects(world: World, codes: Iterable[str] = FAULTS) -> tuple[Suspect, ...]:
    """Every fault at every subject that may have it in this world, in the order of codes."""
    return tuple(suspect for code in sorted(codes) for suspect in fault_module(code).suspects(world))


def concerned(world: World, suspect: Suspect) -> bool:
    """Whether the flow has to do with a fault of its world; yes unless the fault says otherwise."""
    asked = getattr(fault_module(suspect.fault.code), "concerns", None)
    return asked is None or bool(asked(world, suspect))


def applied(world: World, suspects: Iterable[Suspect]) -> World:
    """The world with these faults put in."""
    changed = world
    for suspect in suspects:
        changes = fault_module(suspect.fault.code).apply(changed, suspect)
        changed = changed.changed(changes)
    return changed


def removed(world: World, suspects: Iterable[Suspect]) -> World:
    """The world with these faults taken out."""
    changed = world
    for suspect in suspects:
        changes = fault_module(suspect.fault.code).remove(changed, suspect)
        changed = changed.changed(changes)
    return changed
