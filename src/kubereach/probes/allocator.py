"""Whether the controller that gives out addresses runs: its pods, its Deployment, statements. Answers: up, down.

Asked with `balancer`, of the pods that k3s's ServiceLB makes for the service: running, waiting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kubereach.model.attribute import ADDRESSES, ALLOCATION_FAULT, ALLOCATOR_MISSING
from kubereach.model.fact import Setting, Trust
from kubereach.model.network import Network
from kubereach.model.origin import Origin
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.world import World

KIND = "allocator"
BACKGROUND: Distribution = {"up": 0.85, "down": 0.15, "running": 0.8, "waiting": 0.1}
NAMES = (
    r"(?:metallb-)?controller|cilium-operator|kube-vip-cloud-provider|openelb-(?:manager|controller)"
    r"|\S*cloud-controller\S*"
)
_DOWN = (
    r"down|not (?:running|ready|deployed|installed|started)|crash|backoff|pending|evicted|0/\d|error|scaled to 0|^0$"
    r"|stopped"
)
_UP = r"running|ready|up\b|healthy|ok\b|\b([1-9])/\1\b"


def sightings(network: Network) -> Iterable[Sighting]:
    """Said only of a service that has no address; what serves old addresses needs no allocator."""
    if network.seen(network.flow.service, ADDRESSES):
        return
    yield from _balancers(network)
    for up, says, origin, trust in (*_objects(network), *_statements(network), *_missing(network)):
        yield Sighting(
            question=Question(KIND, "cluster"),
            answers=frozenset({"up" if up else "down"}),
            origins=(origin,),
            trust=trust,
            says=says,
        )


Said = tuple[bool, str, Origin, Trust]


def _objects(network: Network) -> Iterator[Said]:
    for entry in network.objects_of("Pod"):
        leaf = entry.fields.get("status.conditions.Ready")
        if leaf is not None and re.match(rf"(?:{NAMES})-[a-z0-9]+", entry.name):
            up = bool(leaf.value)
            yield up, f"pod {entry.name} is {'ready' if up else 'not ready'}", leaf.origin, leaf.trust
    for entry in network.objects_of("Deployment"):
        wanted = entry.number("spec.replicas", "status.replicas")
        ready = entry.number("status.readyReplicas", "status.availableReplicas")
        if re.fullmatch(NAMES, entry.name) and (ready is not None or wanted == 0):
            origin = (entry.origins("status") or entry.origins("spec"))[0]
            yield bool(ready), f"deployment {entry.name}: {ready or 0} ready", origin, Trust.OUTPUT
    for entry in network.objects_of("Event"):
        about = re.search(rf"\bpod/? ?(?:{NAMES})-[a-z0-9]", entry.text("message"))
        if about and re.fullmatch(r"BackOff|Failed|FailedScheduling|FailedMount", entry.text("reason")):
            leaf = entry.fields["message"]
            yield False, f"event {entry.text('reason')}: {leaf.value}"[:120], leaf.origin, leaf.trust


def _missing(network: Network) -> Iterator[Said]:
    if network.seen("cluster", ALLOCATOR_MISSING):
        says = "the list of all pods has none of the controller"
        yield from ((False, says, origin, Trust.OUTPUT) for origin in network.origins("cluster", ALLOCATOR_MISSING)[:1])


def _statements(network: Network) -> Iterator[Said]:
    for fact in network.observed:
        if not isinstance(fact, Setting):
            continue
        about = f"{fact.subject.rpartition('/')[2]} {fact.attribute}".lower()
        if not re.search(rf"(?:^| |\.)(?:{NAMES}|allocator)(?: |\.|$)", about) or "log" in about:
            continue
        said = str(fact.value).lower()
        if re.search(_DOWN, said) or re.search(_UP, said):
            up = not re.search(_DOWN, said)
            yield up, f"{fact.subject} {fact.attribute}: {fact.value}", fact.origin, fact.trust


def _balancers(network: Network) -> Iterator[Sighting]:
    """The pods of k3s's ServiceLB for the service, one on each node; they wait where their host port is taken."""
    name = network.flow.service.rpartition("/")[2]
    found: dict[str, tuple[Origin, Trust, str]] = {}
    for entry in network.objects_of("Pod"):
        ready = entry.fields.get("status.conditions.Ready")
        if ready is None or not re.fullmatch(rf"svclb-{re.escape(name)}-[a-z0-9]+-[a-z0-9]{{5}}", entry.name):
            continue
        if ready.value:
            found["running"] = (ready.origin, ready.trust, f"pod {entry.name} runs")
        elif entry.text("status.reason") in {"Pending", ""}:
            found["waiting"] = (ready.origin, ready.trust, f"pod {entry.name} waits")
    # Services of one name in two namespaces have pods of like names: one that waits is the one that matters.
    answer = next((a for a in ("waiting", "running") if a in found), "")
    if answer:
        origin, trust, says = found[answer]
        yield Sighting(
            question=Question(KIND, "cluster", ("balancer",)),
            answers=frozenset({answer}),
            origins=(origin,),
            trust=trust,
            says=says,
        )


def predict(world: World, question: Question) -> Distribution | None:
    """Down where that is why no address is given; ServiceLB's own pods wait for their ports, or are not made at all."""
    reason = world.get(world.network.flow.service, ALLOCATION_FAULT)
    if question.about == ("balancer",):
        if reason == "host-port":
            return {"waiting": 0.9, "running": 0.1}
        return {"running": 0.1, "waiting": 0.03} if reason else {"running": 0.95, "waiting": 0.05}
    return {"down": 0.75, "up": 0.25} if reason == "controller" else {"up": 0.96, "down": 0.04}


def offers(network: Network) -> Iterable[Offer]:
    """The controller's pod, while a service waits."""
    if network.seen(network.flow.service, ADDRESSES) == ():
        yield Offer(
            question=Question(KIND, "cluster"),
            where="any host with kubectl",
            command="kubectl get pods -A | grep -E 'controller|operator'",
            cost=10,
            words={"up": "its pod is ready", "down": "it is missing, pending or crashing"},
        )


def means(world: World, question: Question) -> str:
    """Whether it matters there."""
    down = world.get(world.network.flow.service, ALLOCATION_FAULT) == "controller"
    return "nothing gives out addresses" if down else "the controller works"
