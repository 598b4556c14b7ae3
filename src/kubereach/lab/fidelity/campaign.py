"""Many experiments side by side: every scenario with every fault that has a place in it, and systems drawn at random.

Each experiment has a name that repeats it: SCENARIO, SCENARIO+CODE@SUBJECT, or the number that it was drawn by.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kubereach.errors import KubereachError
from kubereach.lab import draw, enactment, guest_kernel, lab, scenario
from kubereach.lab.fidelity import experiment
from kubereach.lab.fidelity.experiment import Finding, Measurement
from kubereach.lab.lab import CommandError
from kubereach.lab.scenario import Scenario


class Outcome(Struct, frozen=True):
    """An experiment's findings, or why there are none."""

    name: str
    findings: tuple[Finding, ...] = ()
    error: str = ""


def planned(name: str) -> Scenario:
    """The system of an experiment by its name. Raises UsageError."""
    base, _, fault = name.partition("+")
    system = draw.draw(int(base)) if base.isdigit() else scenario.load(base)
    return replace(system, faults=(fault,)) if fault else system


def systematic(names: Sequence[str]) -> Iterator[str]:
    """Each scenario as it is, and with each fault at the first place that concerns its service most.

    A scenario that takes a guest is run as it is only: a minute or two each would make a night of it.
    """
    for name in names:
        base = scenario.load(name)
        yield name
        for code in () if any(guest_kernel.reasons(base)) else enactment.codes():
            places = tuple(enactment.module(code).places(replace(base, faults=())))
            if places:
                yield f"{name}+{code}@{_nearest(base, places)}"


def _nearest(base: Scenario, places: Sequence[str]) -> str:
    """The node with a pod, where nodes are the choice."""
    running = [f"node/{base.pods[pod].node}" for pod in base.endpoints(base.target)]
    return next((place for place in places if place in running), places[0])


def drawn(first: int, count: int) -> Iterator[str]:
    """The systems with `count` numbers from `first` on."""
    return (str(number) for number in range(first, first + count))


def one(name: str, system: Scenario, lab_name: str = "", keep: Path | None = None) -> Outcome:
    """Run one experiment in a lab of its own; a lab that fails is an outcome too.

    `keep` is a file that gets the measurement, so that `again` can hold a later simulator against it.
    """
    try:
        found = experiment.measured(name, system, lab_name or f"f{os.getpid()}")
        if keep:
            keep.parent.mkdir(parents=True, exist_ok=True)
            keep.write_bytes(msgspec.msgpack.encode(found))
        return Outcome(name, experiment.judged(found))
    except (CommandError, KubereachError, OSError) as error:
        return Outcome(name, error=" ".join(str(error).split())[:300])


def again(file: Path) -> Outcome:
    """The simulator as it is now, held against a measurement that was kept."""
    found = measurement(file)
    return Outcome(found.name, experiment.judged(found))


def measurement(file: Path) -> Measurement:
    """A measurement that was kept."""
    return msgspec.msgpack.decode(file.read_bytes(), type=Measurement)


def file_of(folder: Path, name: str) -> Path:
    """Where a folder keeps the measurement of an experiment."""
    return folder / f"{name.replace('/', '_')}.msgpack"


def run(names: Sequence[str], jobs: int, done: Callable[[Outcome], None], keep: Path | None = None) -> list[Outcome]:
    """Run the experiments, `jobs` at once, each in a lab of its own; `done` is told of each as it ends.

    `keep` is a folder that gets the measurements.
    """
    prefix = f"f{os.getpid() % 10000}"

    def numbered(number: int, name: str) -> Outcome:
        found = one(name, planned(name), f"{prefix}x{number}", file_of(keep, name) if keep else None)
        done(found)
        return found

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(numbered, number, name) for number, name in enumerate(names)]
        try:
            return [future.result() for future in futures]
        except BaseException:  # Ctrl-C above all: what is under way loses its lab, and so ends
            pool.shutdown(wait=False, cancel_futures=True)
            for name in lab.names():
                if name.startswith(f"{prefix}x"):
                    lab.down(name)
            raise


def shrunk(number: int, fails: Callable[[Scenario], bool]) -> Scenario:
    """The drawn system with as many of its choices taken back as leaves it failing; each step is run anew."""
    found = draw.draw(number)
    while smaller := next((s for s in draw.simpler(found) if fails(s)), None):
        found = smaller
    return found
