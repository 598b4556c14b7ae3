"""Whether a BGP session lasts: for how long it is up, how often it has gone down, what logs say of it.

Asked of nodes (`where` is the first, `about` names the others) or of all: about `age`, of sessions that are up, young
or settled; about `habit`, flaps (it went down again and again) or lasts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import ANNOUNCER, SESSION_FAULT
from kubereach.model.fact import AnyFact, BgpSession, LogEvent, Setting
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.bgp import session_up
from kubereach.simulate.world import World

KIND = "session_habit"
BACKGROUND: Distribution = {"young": 0.15, "settled": 0.85, "flaps": 0.06, "lasts": 0.94}
YOUNG = 180  # seconds
YOUNG_ALL_THE_SAME = 0.15  # who looks for a fault restarts daemons and resets sessions, too
MANY_CHANGES = 3  # up, down, up is a restart; more is a habit
MANY_DROPS = 8  # of one session since its daemon started: upgrades and reboots make fewer
_FLAPS = r"flap|comes and goes|up and down|unstable"
_STATED = r"bgp\W?(?:session|peer|neighbou?r)?\W?stat(?:e|us)"
_UNITS = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}


def sightings(network: Network) -> Iterable[Sighting]:
    """The ages of established sessions, all young ones together and all settled ones; then each sign of a habit."""
    ages: dict[str, dict[str, BgpSession]] = {"young": {}, "settled": {}}
    for fact in network.observed:
        if not isinstance(fact, BgpSession) or fact.state != "Established" or "mesh" in fact.peer_type:
            continue
        node = fact.device if fact.device in network.nodes else network.owners.get(fact.peer, "")
        seconds = duration(fact.uptime)
        if node in network.nodes and seconds is not None:
            ages["young" if seconds < YOUNG else "settled"].setdefault(node, fact)
    for answer, found in ages.items():
        if found:
            nodes, facts = sorted(found), list(found.values())
            says = f"the session with {facts[0].peer or facts[0].name} is up for {facts[0].uptime}"
            yield _sighting("age", nodes, answer, facts[0], says)
    for node, fact, says in (*_drops(network), *_logged(network), *_stated(network)):
        yield _sighting("habit", [node] if node in network.nodes else [], "flaps", fact, says)


def duration(text: str) -> int | None:
    """Seconds of `2d03h11m`, `00:01:12`, `51h12m3s` or `4s350ms`; None for what is no duration."""
    if clock := re.fullmatch(r"(\d{1,3}):(\d\d):(\d\d)", text):
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    parts = re.findall(r"(\d{1,6})(ms|[ywdhms])", text)
    if not parts or "".join(n + unit for n, unit in parts) != text:
        return None
    return sum(int(n) * _UNITS[unit] for n, unit in parts if unit != "ms")


def _drops(network: Network) -> Iterable[tuple[str, AnyFact, str]]:
    for fact in network.observed:
        if isinstance(fact, BgpSession) and (fact.drops or 0) >= MANY_DROPS and "mesh" not in fact.peer_type:
            node = fact.device if fact.device in network.nodes else network.owners.get(fact.peer, "")
            yield node, fact, f"the session with {fact.peer or fact.name} has gone down {fact.drops} times"


def _logged(network: Network) -> Iterable[tuple[str, AnyFact, str]]:
    """A peer that logs say to have come up and gone down several times."""
    counted: dict[tuple[str, str], list[LogEvent]] = {}
    for fact in network.observed:
        if isinstance(fact, LogEvent) and re.search(r"(?:session|adjchange|peer)-?(?:up|down)$", fact.event, re.I):
            counted.setdefault((fact.device, dict(fact.fields).get("peer", "")), []).append(fact)
    for (device, peer), events in counted.items():
        if sum(e.event.lower().endswith("up") for e in events) > 1 and len(events) > MANY_CHANGES:
            node = device if device in network.nodes else network.owners.get(peer, "")
            yield node, events[0], f"the session with {peer or 'the peer'} changed {len(events)} times"


def _stated(network: Network) -> Iterable[tuple[str, AnyFact, str]]:
    for fact in network.observed:
        if isinstance(fact, Setting) and re.fullmatch(_STATED, fact.attribute) and re.search(_FLAPS, str(fact.value)):
            node = fact.subject if fact.subject in network.nodes else ""
            node = node or network.owners.get(fact.subject.removeprefix("peer/"), "")
            yield node, fact, f"{fact.subject}: session {fact.value}"


def _sighting(about: str, nodes: list[str], answer: str, fact: AnyFact, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, nodes[0] if nodes else "", (about, *nodes[1:])),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """Of several nodes, all must show it; None where no session of theirs is up, or none has to do with the service."""
    if world.known("cluster", ANNOUNCER) and world.get("cluster", ANNOUNCER).endswith(("-l2", "-arp")):
        return None
    named = [n for n in (question.where, *map(str, question.about[1:])) if n in world.network.nodes]
    nodes = named or list(world.network.nodes)
    passing = [world.get(node, SESSION_FAULT) == "flapping" for node in nodes]
    if question.about[0] == "age":
        if True not in {session_up(world, node) for node in nodes}:  # a set: every leaf counts as read
            return None
        young = 0.85 if all(passing) else YOUNG_ALL_THE_SAME
        return {"young": young, "settled": 0.2 if any(passing) else 1 - young}
    chance = 0.85 if any(passing) else 0.02
    return {"flaps": chance, "lasts": 1 - chance}


def offers(network: Network) -> Iterable[Offer]:
    """How often the sessions have gone down, by the end that counts it."""
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node, ("habit",)),
            where="router",
            command="vtysh -c 'show bgp neighbors'   # or your router's log of the session, over an hour",
            cost=40,
            privilege="router",
            words={"flaps": "many drops, or it goes up and down", "lasts": "it stays as it is"},
        )


def means(world: World, question: Question) -> str:
    """Whether it lasts."""
    named = [n for n in (question.where, *map(str, question.about[1:])) if n in world.network.nodes]
    passing = any(world.get(node, SESSION_FAULT) == "flapping" for node in named or world.network.nodes)
    return "the session comes and goes" if passing else "the session lasts"
