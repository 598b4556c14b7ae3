"""Faults made real: one module a fault in `lab.enactments`, named by its code with underscores.

Its docstring says what is done and how that differs from the field. It defines

places   Scenario → the subjects at which it can be enacted (`node/NAME`, `router`, `client`, `service/NS/NAME`,
         `cluster`), () where the scenario has no use for it. The names are those of the catalogue's suspects.
enact    Lab, subject → does it, for real: a daemon's configuration, a kernel's setting, a rule, an object
undo     Lab, subject → takes all of it back; the lab is then as if it had never been
concerns Scenario, client → whether that client's flow has to do with it (optional; yes, but for faults of `client`)
settled  Lab, subject → whether it shows its effect yet (optional; the lab waits for it after enact)
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from kubereach.errors import UsageError
from kubereach.lab.lab import Lab, wait
from kubereach.lab.operation import operation
from kubereach.lab.scenario import Scenario

FOLDER = Path(__file__).parent / "enactments"
SETTLING = 30.0  # seconds


class Enactment(Protocol):
    """The shape of a module in `lab.enactments`."""

    def places(self, scenario: Scenario) -> Iterable[str]: ...  # noqa: D102

    def enact(self, lab: Lab, subject: str) -> None: ...  # noqa: D102

    def undo(self, lab: Lab, subject: str) -> None: ...  # noqa: D102


def codes() -> tuple[str, ...]:
    """The faults that the lab can enact."""
    return tuple(sorted(p.stem.replace("_", "-") for p in FOLDER.glob("*.py") if p.stem != "__init__"))


def module(code: str) -> Enactment:
    """The enactment of a fault. Raises UsageError for a code that has none."""
    if code not in codes():
        raise UsageError(f"the lab cannot enact {code!r}", f"one of: {', '.join(codes())}")
    return cast("Enactment", import_module(f"kubereach.lab.enactments.{code.replace('-', '_')}"))


def split(fault: str, scenario: Scenario) -> tuple[str, str]:
    """CODE[@SUBJECT] → both; without a subject, the first place there is. Raises UsageError for a wrong one."""
    code, _, subject = fault.partition("@")
    possible = tuple(module(code).places(scenario))
    if not possible:
        raise UsageError(f"{code} has no place in this scenario", "see `kubereach lab fault --list` for those that do")
    if subject and subject not in possible:
        raise UsageError(f"{code} cannot be enacted at {subject}", f"one of: {', '.join(possible)}")
    return code, subject or possible[0]


def concerns(scenario: Scenario, fault: str, client: str) -> bool:
    """Whether an enacted fault (CODE@SUBJECT) has to do with the flow of `client`."""
    code, _, subject = fault.partition("@")
    if asked := getattr(module(code), "concerns", None):
        return bool(asked(scenario, client))
    return client == scenario.client or subject != "client"


@operation
def enact(lab: Lab, fault: str) -> str:
    """Enact CODE[@SUBJECT], and wait until it shows; the whole name. Raises UsageError, CommandError."""
    code, subject = split(fault, lab.state.original)
    name = f"{code}@{subject}"
    if name in lab.state.faults:
        raise UsageError(f"{name} is enacted already", f"undo it with `kubereach lab repair {name}`")
    chosen = module(code)
    lab.state.faults = (*lab.state.faults, name)
    lab.save()
    chosen.enact(lab, subject)
    if settled := getattr(chosen, "settled", None):
        wait(lambda: settled(lab, subject), SETTLING, 0.25)
    return name


@operation
def undo(lab: Lab, fault: str) -> str:
    """Take a fault back; the whole name. Raises UsageError for one that is not enacted."""
    name = next((f for f in lab.state.faults if fault in (f, f.partition("@")[0])), "")
    if not name:
        raise UsageError(f"{fault} is not enacted", f"enacted now: {', '.join(lab.state.faults) or 'nothing'}")
    code, _, subject = name.partition("@")
    module(code).undo(lab, subject)
    lab.state.faults = tuple(f for f in lab.state.faults if f != name)
    lab.save()
    return name
