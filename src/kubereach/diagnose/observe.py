"""What the evidence answers: all sightings, each counted once, in groups that one capture stands for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from msgspec import Struct

from kubereach.model.network import Network
from kubereach.probes._index import PROBES
from kubereach.probes.question import Probe, Question, Sighting


@cache
def probe(kind: str) -> Probe:
    """The probe module of a kind."""
    return cast("Probe", import_module(f"kubereach.probes.{kind}"))


class Group(Struct, frozen=True):
    """Sightings that one capture gave: they are misreported together or not at all."""

    sightings: tuple[Sighting, ...]


def collect(network: Network) -> tuple[Group, ...]:
    """All sightings of a network.

    The same answer to the same question counts once, whichever capture gave it first: seven replies and a traceroute
    are decided by one step, and so are two open ports of one host.
    """
    once: dict[tuple[Question, frozenset[str]], Sighting] = {}
    for kind in PROBES:
        for sighting in probe(kind).sightings(network):
            key = (sighting.question, sighting.answers)
            known = once.get(key)
            if known is None or sighting.trust > known.trust:
                once[key] = sighting
            elif known.origins != sighting.origins:
                once[key] = Sighting(
                    question=known.question,
                    answers=known.answers,
                    origins=tuple(dict.fromkeys(known.origins + sighting.origins)),
                    trust=known.trust,
                    says=known.says,
                )
    groups: dict[tuple[str, str, str], list[Sighting]] = {}
    for number, sighting in enumerate(once.values()):
        origin = sighting.origins[0] if sighting.origins else None
        command = origin.command if origin else ""
        place = (origin.source, command, origin.host) if origin and command else ("", "", str(number))
        groups.setdefault(place, []).append(sighting)
    return tuple(Group(tuple(members)) for members in groups.values())
