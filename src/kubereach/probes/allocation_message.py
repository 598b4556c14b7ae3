"""What controllers and schedulers say about a service without an address: events, logs, conditions, statements.

Answers: no-pool, none-free (which full and missing pools give alike), full, not-admitted, refused, class, controller,
host-port. Asked with `events`, of the service's own events: none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kubereach.model.attribute import ADDRESSES, ALLOCATION_FAULT
from kubereach.model.fact import LogEvent, Setting, Trust
from kubereach.model.network import Network
from kubereach.model.origin import Origin
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.allocation import MESSAGES
from kubereach.simulate.world import World

KIND = "allocation_message"
KINDS = ("no-pool", "none-free", "full", "not-admitted", "refused", "class", "controller", "host-port")
BACKGROUND: Distribution = {**dict.fromkeys(KINDS, 0.1), "none": 0.5}
# How often a waiting service has no event at all: they are kept for an hour, and who has no controller gets none.
SILENT = {"no-pool": 0.5, "exhausted": 0.25, "refused": 0.25, "class": 0.95, "controller": 0.95, "host-port": 0.85}
# What each message means: MetalLB internal/allocator and controller, Cilium pkg lbipam, kube-vip's cloud provider,
# the scheduler, OpenELB.
WORDS: tuple[tuple[str, str], ...] = (
    ("host-port", r"free ports for the requested pod ports|(?:host ?)?port \S{0,20} ?is already allocated"),
    ("host-port", r"host ?ports? .{0,40}(?:taken|in use|occupied|conflict)|address already in use"),
    ("refused", r"not allowed in config|can't change sharing key|is already in use on|address also in use by"),
    ("refused", r"sharing key|already[_ ]allocated|requested .{0,40}(?:not in|outside|unavailable|conflict|invalid)"),
    (
        "refused",
        r"outside (?:of )?(?:all |every |any )?(?:the )?(?:configured )?pools?|unknown (?:ip ?)?(?:address ?)?pool",
    ),
    ("refused", r"pool .{0,60}does(?: not|n't) exist|dual.?IP ?Family|ip ?famil\w+ .{0,40}(?:mismatch|not supported)"),
    ("full", r"no (?:more )?addresses (?:left|available) in|addresses (?:left|free|available)\W{1,4}0\b"),
    ("full", r"\bpool .{0,20}\bfull"),
    ("full", r"addresses? .{0,30}(?:held|used|in use|taken|assigned|allocated)\b.{0,20}: ?(?:all|every|100 ?%)"),
    ("full", r"\b(?:free|available)\w*(?: addresses| ips?)?: ?0\b"),
    ("no-pool", r"no_pool|no (?:enabled )?\w*pools?\b|pools? (?:are|is) (?:empty|missing)|could not find .{0,20}pool"),
    ("no-pool", r"no address pools could be found|no eip|no avliable eip|there are no enabled"),
    ("not-admitted", r"pool_selector_mismatch|selector .{0,60}(?:does not|doesn't) match|not_in_pool|no suitable pool"),
    (
        "none-free",
        r"no available ips?|no (?:free|available) (?:ip|addr)|unable to find (?:an )?ip",
    ),
    ("class", r"load ?balancer ?class"),
    ("controller", r"failed calling webhook|cannot (?:update|patch) resource .{0,3}services|leader election lost"),
    ("controller", r"failed to parse the configuration|stale config|couldn't (?:sync|acquire)"),
)


def classify(text: str) -> str:
    """The kind of a message; "" for one about something else."""
    short = text[:600]
    return next((kind for kind, words in WORDS if re.search(words, short, re.I)), "")


def sightings(network: Network) -> Iterable[Sighting]:
    """Each kind of message once, where the service has no address or says nothing about it."""
    if network.seen(network.flow.service, ADDRESSES):
        return
    for fact in network.observed:
        if isinstance(fact, Setting) and (fact.subject, fact.attribute, fact.value) == (
            network.flow.service,
            "events",
            "none",
        ):
            yield Sighting(
                question=Question(KIND, network.flow.service, ("events",)),
                answers=frozenset({"none"}),
                origins=(fact.origin,),
                trust=fact.trust,
                says="the service has no events",
            )
    said: set[str] = set()
    for text, origin, trust in _texts(network):
        kind = classify(text)
        if kind and kind not in said:
            said.add(kind)
            yield Sighting(
                question=Question(KIND, network.flow.service),
                answers=frozenset({kind}),
                origins=(origin,),
                trust=trust,
                says=text[:160],
            )


def _texts(network: Network) -> Iterator[tuple[str, Origin, Trust]]:
    for entry in network.objects_of("Event"):
        if message := entry.text("message"):
            yield message, entry.fields["message"].origin, entry.fields["message"].trust
    for entry in network.objects_of("Service"):
        for path, leaf in entry.fields.items():
            if path.startswith("status.conditions") and path.endswith((".message", ".reason")) and leaf.value:
                yield str(leaf.value), leaf.origin, leaf.trust
    for fact in network.observed:
        if isinstance(fact, LogEvent):
            yield f"{fact.event} " + " ".join(value for _, value in fact.fields), fact.origin, fact.trust
        elif isinstance(fact, Setting) and isinstance(fact.value, str) and _about_allocation(fact):
            yield f"{fact.attribute}: {fact.value}", fact.origin, fact.trust


def _about_allocation(fact: Setting) -> bool:
    kind = fact.subject.partition("/")[0]
    words = r"pool|alloc|addresses|event|log|message|error|condition|host ?port|svclb|ipam"
    return kind in {"service", "pool", "cluster", "pod", "controller", "deployment"} and bool(
        re.search(words, f"{kind} {fact.attribute}", re.I)
    )


def predict(world: World, question: Question) -> Distribution | None:
    """The messages of the reason why no address is given; without one, such messages are rare."""
    reason = world.get(question.where, ALLOCATION_FAULT)
    if question.about == ("events",):
        silent = SILENT.get(reason, 0.5)
        return {"none": silent, "some": 1 - silent}
    told = MESSAGES.get(reason, {})
    return {kind: 0.01 + 0.9 * told.get(kind, 0.0) for kind in KINDS}


def offers(network: Network) -> Iterable[Offer]:
    """The events of a service that waits."""
    if network.seen(network.flow.service, ADDRESSES) == ():
        _, namespace, name = network.flow.service.split("/")
        yield Offer(
            question=Question(KIND, network.flow.service),
            where="any host with kubectl",
            command=f"kubectl -n {namespace} describe service {name.strip('()')}   # and its controller's log",
            cost=15,
            words={
                "no-pool": "no pool",
                "none-free": "no available IPs",
                "full": "the pool is used up",
                "not-admitted": "no pool's selector matches",
                "refused": "what was asked for is not allowed or in use",
                "class": "a load balancer class that nobody takes",
                "controller": "errors of the controller itself",
                "host-port": "didn't have free ports",
            },
        )


def means(world: World, question: Question) -> str:
    """Whether that world's allocator would say so."""
    return "why no address was given" if world.get(question.where, ALLOCATION_FAULT) else ""
