"""Tell-tale messages: log lines and events that a fault makes programs write. Answer: seen.

A reader names the message by a stable slug (LogEvent.event, or an Event's reason); a fault says which slugs its world
writes. In a world that does not write it, a message is a coincidence.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import TELLS
from kubereach.model.fact import LogEvent, Trust
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.world import World

KIND = "tell"
BACKGROUND: Distribution = {"seen": 0.03, "unseen": 0.97}
# Written all the time by healthy programs, and so no tell-tale of anything.
OTHERS = frozenset({"packet-logged", "no-proxy-rules"})  # asked as `dropped`
ORDINARY = frozenset({"IPAllocated", "nodeAssigned", "Scheduled", "Pulled", "Created", "Started", "serviceAnnounced"})


def sightings(network: Network) -> Iterable[Sighting]:
    """Each distinct message once."""
    seen: set[str] = set()
    for fact in network.observed:
        if not isinstance(fact, LogEvent) or fact.program == "conntrack" or fact.event in OTHERS:
            continue  # connections and packets are no messages
        if fact.event not in ORDINARY and fact.event not in seen:
            seen.add(fact.event)
            yield _sighting(fact.event, fact, f"{fact.program}: {fact.event}")
    for entry in network.objects_of("Event"):
        reason = entry.text("reason")
        if reason and reason not in ORDINARY and reason not in seen:
            seen.add(reason)
            where = entry.fields["reason"].origin
            says = f"event {reason}: {entry.text('message')}"
            yield Sighting(
                question=Question(KIND, "cluster", (reason,)),
                answers=frozenset({"seen"}),
                origins=(where,),
                trust=Trust.OUTPUT,
                says=says,
            )


def _sighting(slug: str, fact: LogEvent, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, "cluster", (slug,)),
        answers=frozenset({"seen"}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """Whether some fault of this world writes it; where none does, it is as rare as where nothing is known.

    A message that no fault knows speaks neither for nor against the catalogue.
    """
    written = world.get("cluster", TELLS)
    if told(str(question.about[0]), written):
        return {"seen": 0.8, "unseen": 0.2}
    return BACKGROUND


def told(slug: str, written: tuple[str, ...]) -> bool:
    """Whether a message is among those written: by its slug, or by a part of it where a `~` stands before."""
    return any(slug == known or (known.startswith("~") and known[1:] in slug) for known in written)


def offers(network: Network) -> Iterable[Offer]:
    """Logs are asked for by the faults' own repairs."""
    return ()


def means(world: World, question: Question) -> str:
    """Expected, or a coincidence."""
    return "what that fault makes it write" if told(str(question.about[0]), world.get("cluster", TELLS)) else ""
