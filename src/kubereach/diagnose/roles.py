"""Which faults of a world are to blame for the failing flow, and how.

Root: in a minimal set whose removal makes the flow work, and on the failing walk. Contributing: on the failing walk,
its removal alone not sufficient. Latent: not on it, but it stops the walk once the roots are gone; or a standing
condition of the cluster that this flow does not depend on. Misread: the flow works, and the complaint rests on
something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations

from msgspec.structs import replace

from kubereach.diagnose.catalogue import concerned, removed
from kubereach.diagnose.fault import Presence, Suspect
from kubereach.diagnose.hypothesis import Hypothesis
from kubereach.diagnose.rank import Ranking
from kubereach.model.attribute import MISREAD, PORTS
from kubereach.model.diagnosis import Role
from kubereach.simulate.proxy import serves
from kubereach.simulate.walk import Packet, Walk, walk
from kubereach.simulate.world import World

MOST_REMOVED = 3
CONSIDERED_MASS = 0.997  # the rest is spread over hypotheses that decide nothing


def service_packet(world: World) -> Packet:
    """The client's packet to the service's own port."""
    flow = world.network.flow
    ports = world.get(flow.service, PORTS)
    return Packet(flow.source, flow.address, flow.port or (ports[0].port if ports else 80), flow.protocol)


def service_walk(world: World) -> Walk:
    """The walk of that packet."""
    return walk(world, world.network.flow.service, service_packet(world))


Judged = tuple[tuple[Hypothesis, Mapping[Suspect, Role]], ...]


def judged(ranking: Ranking) -> Judged:
    """The hypotheses that make up nearly all of the mass, each with the roles in its world."""
    found: list[tuple[Hypothesis, Mapping[Suspect, Role]]] = []
    known: dict[Hashable, tuple[Hypothesis, Mapping[Suspect, Role]]] = {}
    mass, total = 0.0, sum(h.weight for h in ranking.hypotheses)
    for hypothesis in ranking.hypotheses:
        if mass > CONSIDERED_MASS * total:
            break
        mass += hypothesis.weight
        same = likeness(hypothesis)
        if same in known:
            found.append((hypothesis, _renamed(*known[same], hypothesis)))
            continue
        known[same] = (hypothesis, roles(hypothesis))
        found.append(known[same])
    return tuple(found)


def likeness(hypothesis: Hypothesis) -> Hashable:
    """Equal for hypotheses that differ in nothing but which of several like nodes has the one fault.

    They give everything seen the same probability, and the packet's ways end alike. Of fifty nodes of which nothing was
    collected, one stands for all.
    """
    own = hypothesis.assumed[0].subject if len(hypothesis.assumed) == 1 else ""
    if not own.startswith("node/") or any(s.subject == own for s in hypothesis.present):
        return id(hypothesis)
    ends = Counter(
        (round(b.weight, 9), b.fate, b.why.replace(_bare(own), "*"), b.entry == own, b.endpoint == own, b.direct)
        for b in service_walk(hypothesis.world).branches
    )
    return (
        hypothesis.assumed[0].fault.code,
        frozenset(hypothesis.variant.items()),
        round(hypothesis.log_prior, 9),
        tuple(round(j.log_likelihood, 9) for j in hypothesis.judgements),
        frozenset(ends.items()),
        hypothesis.assumed[0].because,
    )


def _bare(subject: str) -> str:
    return subject.partition("/")[2]


def _renamed(like: Hypothesis, found: Mapping[Suspect, Role], hypothesis: Hypothesis) -> Mapping[Suspect, Role]:
    """The roles of a hypothesis like the one whose roles were found."""
    (theirs,), (mine,) = like.assumed, hypothesis.assumed
    return {mine if suspect == theirs else suspect: role for suspect, role in found.items()}


def roles(hypothesis: Hypothesis) -> Mapping[Suspect, Role]:
    """The role of each fault that has one in the hypothesis's world."""
    world = hypothesis.world
    held = (*hypothesis.assumed, *hypothesis.present)
    failing = service_walk(world)
    if failing.works() or (world.network.flow.source != "client" and _outside_works(world, hypothesis)):
        found = {s: Role.MISREAD for s in hypothesis.assumed if s.fault.misread}
        found |= {s: Role.ROOT for s in hypothesis.assumed if s.fault.degrades}
        return found | {s: Role.LATENT for s in held if s.fault.standing}
    astray = {s: Role.MISREAD for s in hypothesis.assumed if s.fault.misread and not _port_served(world)}
    if astray:
        return astray
    real = tuple(s for s in held if not s.fault.misread)
    without = [service_walk(removed(world, (s,))) for s in real]
    shape = _shape(failing)
    on_walk = [s for s, found in zip(real, without, strict=True) if _shape(found) != shape and concerned(world, s)]
    alone: list[tuple[Suspect, ...]] = [(s,) for s, found in zip(real, without, strict=True) if found.works()]
    if all(s.fault.by_design for chosen in alone for s in chosen):
        # To change what the cluster was told to do is the better story only where no set of faults is to blame.
        alone += _smallest(world, on_walk, tuple(s for s in real if not alone or not s.fault.by_design))
    minimal = _unusual(alone)
    if not on_walk:  # each hides behind another that does the same, so that none alone makes a difference
        on_walk = [s for s in real if s in minimal and concerned(world, s)]
    result: dict[Suspect, Role] = {}
    for suspect in real:
        if suspect in minimal and suspect in on_walk:
            result[suspect] = Role.ROOT
        elif suspect in minimal or suspect.fault.standing:
            result[suspect] = Role.LATENT
        elif suspect in on_walk:
            result[suspect] = Role.CONTRIBUTING
    return result


def _port_served(world: World) -> bool:
    """Whether the port that was tried is one of the service at all in this world."""
    packet = service_packet(world)
    return serves(world, world.network.flow.service, packet.address, packet.port)


def _outside_works(world: World, hypothesis: Hypothesis) -> bool:
    """Whether a test from inside is all that fails, and was taken for one of the way from outside."""
    if not hypothesis.assumed or world.get("client", MISREAD) != "same-node":
        return False
    return walk(world, world.network.flow.service, replace(service_packet(world), source="client")).works()


def _shape(found: Walk) -> tuple[object, ...]:
    """What distinguishes two walks: where each branch enters, ends, and why."""
    return tuple((b.entry, b.fate, b.why, tuple(s.says for s in (*b.forward, *b.back))) for b in found.branches)


def _smallest(world: World, on_walk: list[Suspect], real: tuple[Suspect, ...]) -> list[tuple[Suspect, ...]]:
    """The smallest sets of two or more whose removal makes the flow work on every branch.

    They start from a fault that is on the walk, where there is any.
    """
    for size in range(2, min(MOST_REMOVED, len(real)) + 1):
        working = [
            chosen
            for chosen in combinations(real, size)
            if (not on_walk or any(s in on_walk for s in chosen)) and service_walk(removed(world, chosen)).works()
        ]
        if working:
            return working
    return []


def _unusual(working: Sequence[tuple[Suspect, ...]]) -> frozenset[Suspect]:
    """Of several sets that would do, the members of those without a fault that the configuration itself holds.

    Undoing what is unusual is the better story than changing what the cluster was told to do; where all of them stand
    in the configuration, so is undoing what is wrong there rather than what is meant to be so.
    """
    unusual = [c for c in working if not any(s.because and s.presence is Presence.PRESENT for s in c)]
    wrong = [c for c in working if not any(s.fault.by_design for s in c)]
    return frozenset(s for chosen in (unusual or wrong or working) for s in chosen)
