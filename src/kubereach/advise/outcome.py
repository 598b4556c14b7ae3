"""How a flow fares over all likely worlds, and what would settle it where they disagree.

A world is completed before it is walked, but what is merely assumed about a service decides nothing here: where its
policy or the place of its pods is unseen and matters, each possibility is walked, and if they end differently the
outcome is open in that world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product

from msgspec import Struct
from msgspec.structs import replace

from kubereach.advise.next_probe import Candidate, valued
from kubereach.diagnose.hypothesis import Hypothesis
from kubereach.model.attribute import ADDRESSES, ENDPOINTS, POLICY, Endpoint
from kubereach.model.what_if import Outcome, Result
from kubereach.simulate.walk import PARTLY, WORKS, Branch, Packet, Walk, walk, walk_via
from kubereach.simulate.world import Changes, World

SURE = 0.8  # "very likely" on the report's scale
MOST_PLACES = 3
MOST_SETTLING = 2


class Sent(Struct, frozen=True):
    """A packet to a service; `via` is the node that it is led to, "" for the way that it really takes."""

    service: str
    packet: Packet
    via: str = ""


class Ending(Struct, frozen=True):
    """How it ends in one world; `open_for` are the commands that would show what it depends on there."""

    result: Result
    why: str = ""
    open_for: tuple[str, ...] = ()


Finish = Callable[[World], World]
Ended = tuple[Hypothesis, float, Ending]  # a hypothesis, the weight of one of its worlds, and the end in it


def ending(world: World, sent: Sent, finish: Finish) -> Ending:
    """The end in one world; `finish` is applied after each completion (nodes that are taken away, say)."""
    found: dict[Result, Ending] = {}
    commands: list[str] = []
    for changes, asks in _completions(world, sent.service):
        commands += asks
        one = read(_walked(finish(world.changed(changes)), sent))
        if sent.via:  # said already
            one = replace(one, why=one.why.removeprefix(f"at {sent.via.removeprefix('node/')}: "))
        found.setdefault(one.result, one)
    if len(found) == 1:
        return next(iter(found.values()))
    return Ending(Result.UNKNOWN, "it depends on what was not collected", tuple(dict.fromkeys(commands)))


class Settling:
    """Which questions would tell labelled hypotheses apart; many flows share one labelling, and are asked once."""

    def __init__(self, candidates: tuple[Candidate, ...]) -> None:
        self._candidates = candidates
        self._known: dict[tuple[tuple[int, str], ...], tuple[str, ...]] = {}

    def commands(self, labelled: list[tuple[Hypothesis, str]], residual: float) -> tuple[str, ...]:
        """The commands whose answers are expected to tell most about the labels."""
        if len({label for _, label in labelled}) < 2:
            return ()
        key = tuple((id(hypothesis), label) for hypothesis, label in labelled)
        if key not in self._known:
            best = valued(self._candidates, labelled, residual)[:MOST_SETTLING]
            self._known[key] = tuple(one.candidate.command for one in best)
        return self._known[key]


def outcome(endings: Sequence[Ended], residual: float, settle: Settling) -> Outcome:
    """The outcome over hypotheses by weight; `residual` is the mass of what is not in the catalogue."""
    masses: dict[Result, float] = {}
    for _, weight, end in endings:
        masses[end.result] = masses.get(end.result, 0.0) + weight
    total = sum(masses.values()) + residual or 1.0
    likeliest = max(masses, key=lambda r: (round(masses[r], 9), r.value), default=Result.UNKNOWN)
    share = round(masses.get(likeliest, 0.0) / total, 4)
    top = max((e for e in endings if e[2].result is likeliest), key=lambda e: e[1], default=None)
    why = top[2].why if top else ""
    if likeliest is not Result.UNKNOWN and share >= SURE:
        return Outcome(result=likeliest, probability=share, why=why)
    commands = [command for _, _, end in endings for command in end.open_for]
    mostly = {id(h): (h, end.result.value) for h, _, end in sorted(endings, key=lambda e: e[1])}
    labelled = [mostly[key] for key in dict.fromkeys(id(h) for h, _, _ in endings)]
    commands += settle.commands(labelled, residual)
    if likeliest is not Result.UNKNOWN:
        why = f"{likeliest.value} in {share:.0%} of what is likely" + (f": {why}" if why else "")
    return Outcome(
        result=Result.UNKNOWN, probability=share, why=why, settled_by=tuple(dict.fromkeys(commands))[:MOST_SETTLING]
    )


def _completions(world: World, service: str) -> Iterable[tuple[Changes, tuple[str, ...]]]:
    """What the service may be like as far as evidence leaves it open, with the commands that show it."""
    namespace = service.removeprefix("service/").partition("/")[0]
    policies: list[tuple[Changes, tuple[str, ...]]] = [({}, ())]
    if not world.known(service, POLICY):
        command = f"kubectl get service -n {namespace} {service.rpartition('/')[2]} -o yaml"
        policies = [({POLICY.of(service): policy}, (command,)) for policy in ("Cluster", "Local")]
    places: list[tuple[Changes, tuple[str, ...]]] = [({}, ())]
    shown = world.known(service, ENDPOINTS)
    endpoints = world.get(service, ENDPOINTS) if shown else (Endpoint(""),)
    if any(e.ready and not e.node for e in endpoints):
        command = f"kubectl get pods -n {namespace} -o wide" if shown else "kubectl get endpointslices -A -o yaml"
        nodes = world.network.nodes[:MOST_PLACES]
        places = [({ENDPOINTS.of(service): _placed(endpoints, node)}, (command,)) for node in nodes]
    for policy, place in product(policies, places):
        yield {**policy[0], **place[0]}, (*policy[1], *place[1])


def _placed(endpoints: tuple[Endpoint, ...], node: str) -> tuple[Endpoint, ...]:
    return tuple(replace(e, node=node) if e.ready and not e.node else e for e in endpoints)


def _walked(world: World, sent: Sent) -> Walk:
    address, owned = sent.packet.address, world.network.seen(sent.service, ADDRESSES)
    if owned is not None and address not in owned and address not in world.network.owners:
        return Walk(())
    if sent.via:
        return walk_via(world, sent.service, sent.packet, sent.via)
    return walk(world, sent.service, sent.packet)


def read(found: Walk) -> Ending:
    """A walk as an ending: which of several ways holds, where that is not known, leaves it open."""
    if not found.branches:
        return Ending(Result.FAILS, "the address is not the service's")
    good = found.share(*WORKS)
    bad = [b for b in found.branches if b.fate not in WORKS]
    why = _why(max(bad, key=lambda b: b.weight)) if bad else ""
    if good >= 0.98:
        return Ending(Result.WORKS)
    if found.share(*PARTLY) > 0.5 or (good > 0.02 and found.together):
        return Ending(Result.PARTLY, why)
    if good > 0.02:
        return Ending(Result.UNKNOWN, f"it depends on the way that is taken: {why}")
    return Ending(Result.FAILS, why)


def _why(branch: Branch) -> str:
    where = f"at {branch.entry.removeprefix('node/')}: " if branch.entry else ""
    return f"{where}{branch.why}"
