"""A broken cluster from a seed: a healthy one is drawn inside what its faults need, and then the faults go in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.diagnosis.generate.draw import Wish, draw
from benchmarks.diagnosis.generate.faults import ALL, Injector
from benchmarks.diagnosis.generate.faults.registry import UnfitError
from benchmarks.diagnosis.generate.flow import outcome
from benchmarks.diagnosis.generate.site import Site

ATTEMPTS = 200


@dataclass(frozen=True)
class Broken:
    """A cluster and the truth about it."""

    seed: str
    site: Site
    faults: tuple[Injector, ...]
    wish: Wish
    attempt: int

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(fault.code for fault in self.faults)

    @property
    def classes(self) -> frozenset[str]:
        """The classes that name a truth of this cluster."""
        return frozenset().union(*(fault.accept for fault in self.faults))

    def healthy(self) -> Broken:
        """The same cluster before the faults."""
        return self.without(self.faults)

    def without(self, mended: Sequence[Injector]) -> Broken:
        """The same cluster with some of its faults mended."""
        site = draw(Random(f"{self.seed}/{self.attempt}"), self.wish)
        if site is None:
            raise LookupError(self.seed)
        left = tuple(fault for fault in self.faults if fault not in mended)
        for fault in left:
            fault.inject(site)
        return Broken(self.seed, site, left, self.wish, self.attempt)


def make(seed: str, codes: Sequence[str]) -> Broken:
    """A cluster with these faults, felt (or rightly not felt). Raises LookupError when none can be drawn."""
    chosen = tuple(ALL[code] for code in codes)
    wish = chosen[0].wish
    for fault in chosen[1:]:
        merged = wish.also(fault.wish)
        if merged is None:
            raise LookupError(f"no cluster can have {' and '.join(codes)}")
        wish = merged
    for attempt in range(ATTEMPTS):
        rng = Random(f"{seed}/{attempt}")
        site = draw(rng, wish)
        if site is None or outcome(site) != ["ok"]:
            continue
        try:
            for fault in chosen:
                fault.inject(site)
        except UnfitError:
            continue
        felt = outcome(site) != ["ok"] or not site.service.address
        if felt == any(fault.felt for fault in chosen):
            return Broken(seed, site, chosen, wish, attempt)
    raise LookupError(f"no cluster for {' and '.join(codes)} in {ATTEMPTS} attempts")


def several(rng: Random, first: str) -> tuple[str, ...]:
    """`first` with one or two more faults that can stand in the same cluster and are felt."""
    codes = [first]
    wanted = 3 if rng.random() < 0.25 else 2
    others = [code for code, fault in ALL.items() if fault.felt]
    for _ in range(40):
        if len(codes) == wanted or not ALL[first].felt:
            break
        other = rng.choice(others)
        if other in codes or _same_place(codes, other):
            continue
        wish = ALL[codes[0]].wish
        for code in [*codes[1:], other]:
            merged = wish.also(ALL[code].wish)
            if merged is None:
                break
            wish = merged
        else:
            codes.append(other)
    return tuple(codes)


def _same_place(codes: Sequence[str], other: str) -> bool:
    """Whether two injectors would write the same fields: one of a kind is enough."""
    return any(ALL[code].inject.__module__ == ALL[other].inject.__module__ for code in codes)
