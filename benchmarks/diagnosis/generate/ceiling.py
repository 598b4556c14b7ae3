"""What a sample can tell at all: the faults that would have shown the very same outputs in the same cluster.

Who diagnoses from three outputs cannot do better than name three classes of those that print the same. That is the
ceiling of such a sample, whatever the program. Noise (counters, ages, suffixes of names) is held still, so that it
tells nothing apart.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from itertools import combinations
from random import Random

from benchmarks.diagnosis.generate.broken import Broken
from benchmarks.diagnosis.generate.draw import Wish, draw
from benchmarks.diagnosis.generate.faults import ALL, Injector
from benchmarks.diagnosis.generate.faults.registry import UnfitError
from benchmarks.diagnosis.generate.flow import outcome
from benchmarks.diagnosis.generate.render import everything
from benchmarks.diagnosis.generate.render.output import Output
from benchmarks.diagnosis.generate.sample import chosen

Place = tuple[str, str]  # (key, host)


class Still(Random):
    """A source of chance in which nothing happens by chance."""

    def random(self) -> float:
        return 0.0

    def getrandbits(self, k: int, /) -> int:  # noqa: ARG002  # its name is random.Random's
        return 0

    def shuffle(self, x: MutableSequence[object]) -> None:
        """Leave the order as it is."""


def ceiling(broken: Broken, kind: str, most: int) -> float:
    """How often the best choice of `most` classes holds the truth among the single faults that show this sample.

    Every fault of the catalogue that the cluster can have is put into it instead, weighed by how likely the benchmark
    draws such a cluster for it. Of several faults at once nothing is known: 1.
    """
    outputs = chosen(broken, kind)
    shown = _shown(broken.without(()), outputs)
    alike = [(fault, weight) for fault, weight, other in _others(broken) if _shown(other, outputs) == shown]
    classes = sorted({name for fault, _ in alike for name in fault.accept})
    whole = sum(weight for _, weight in alike)
    if len(classes) <= most or not whole:
        return 1.0
    gains = {name: sum(weight for fault, weight in alike if name in fault.accept) for name in classes}
    likely = sorted(classes, key=lambda name: -gains[name])[: most + 4]
    return (
        max(
            sum(weight for fault, weight in alike if not fault.accept.isdisjoint(chosen))
            for chosen in combinations(likely, most)
        )
        / whole
    )


def _others(broken: Broken) -> list[tuple[Injector, float, Broken]]:
    """The same cluster with each single fault that it can have, the true one included."""
    found = []
    for code, fault in ALL.items():
        site = draw(Random(f"{broken.seed}/{broken.attempt}"), broken.wish)
        if site is None or site.stack not in fault.wish.stacks:
            continue
        try:
            fault.inject(site)
        except (UnfitError, LookupError, ValueError, IndexError):
            continue  # a cluster that this fault never meets
        if code in broken.codes or (outcome(site) != ["ok"] or not site.service.address) == fault.felt:
            found.append((fault, _share(fault.wish), Broken(broken.seed, site, (fault,), broken.wish, broken.attempt)))
    return found


def _share(wish: Wish) -> float:
    """The density of clusters that are drawn for a wish, among all."""
    return 1 / len(wish.stacks) / len(wish.routers) * (2 if wish.policy else 1) * (2 if wish.on_lan is not None else 1)


def _shown(broken: Broken, outputs: Sequence[Output]) -> dict[Place, list[str]]:
    """What is printed in these places when nothing happens by chance."""
    broken.site.rng = Still()
    wanted = {(o.key, o.host) for o in outputs}
    found: dict[Place, list[str]] = {place: [] for place in sorted(wanted)}
    for output in everything(broken):
        if (output.key, output.host) in wanted:
            found[output.key, output.host].append(f"{output.command}\n{output.text}")
    return found
