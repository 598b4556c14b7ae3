"""How many nodes hold the address by their own account.

Asked with `bound`, of interfaces that carry it (kube-vip and keepalived configure it on one node), and with `events`,
of the nodes that MetalLB's events name, which stay in the history after a move. Answers: none, one, several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.build.segments import VIRTUAL
from kubereach.model.attribute import ANNOUNCER, EXTRA_RESPONDER, HELD_BY_TURNS, NICS
from kubereach.model.fact import Trust
from kubereach.model.network import Network
from kubereach.model.origin import Origin
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.announced import OWNERS_BY_KERNEL, announced
from kubereach.simulate.world import World

KIND = "holders"
BACKGROUND: Distribution = {"none": 0.3, "one": 0.6, "several": 0.1}
_MOVED = 0.15  # how often the events of an hour name the leader before as well


def sightings(network: Network) -> Iterable[Sighting]:
    """Interfaces with the address, where all nodes' are shown or several have it; events of several nodes."""
    address = network.flow.address
    listed = [n for n in network.nodes if "lo" in {name for name, _ in network.seen(n, NICS) or ()}]
    bound = [n for n in listed if address and _bound(network, n)]
    if len(bound) > 1 or (address and len(listed) == len(network.nodes) and _configures(network)):
        origins = tuple(o for n in bound or listed[:1] for o in network.origins(n, NICS)[:1])
        names = ", ".join(n.removeprefix("node/") for n in bound) or "no node"
        yield _sighting("bound", len(bound), origins, Trust.OUTPUT, f"{address} is on an interface of {names}")
    named = {}
    for entry in network.objects_of("Event"):
        found = re.search(r'announcing from node "([^"]{1,63})" with protocol "layer2"', entry.text("message"))
        if found and entry.text("reason") == "nodeAssigned":
            named[found[1]] = entry.fields["message"].origin
    if named:
        says = f"events name {', '.join(named)} as announcing"
        yield _sighting("events", len(named), tuple(named.values()), Trust.OUTPUT, says)


def _configures(network: Network) -> bool:
    return (network.seen("cluster", ANNOUNCER) or "") in OWNERS_BY_KERNEL - {"klipper"}


def _bound(network: Network, node: str) -> bool:
    pairs = network.seen(node, NICS) or ()
    return any(text.partition("/")[0] == network.flow.address and not VIRTUAL.match(name) for name, text in pairs)


def _sighting(about: str, count: int, origins: tuple[Origin, ...], trust: Trust, says: str) -> Sighting:
    return Sighting(
        question=Question(KIND, "cluster", (about,)),
        answers=frozenset({"several" if count > 1 else "one" if count else "none"}),
        origins=origins,
        trust=trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """The leaders of this world, and who holds the address besides."""
    flow = world.network.flow
    leaders = announced(world, flow.service, flow.address).layer2
    if question.about == ("bound",) and world.get("cluster", ANNOUNCER) not in OWNERS_BY_KERNEL:
        leaders = ()
    extra = [n for n in world.network.nodes if world.get(n, EXTRA_RESPONDER) and n not in leaders]
    count = len(leaders) + len(extra)
    if question.about == ("events",):
        return {"several": 0.8, "one": 0.2} if count > 1 else {"several": _MOVED, "one": 1 - _MOVED}
    if world.get(flow.service, HELD_BY_TURNS):
        return {"one": 0.75, "none": 0.15, "several": 0.1}
    expected = "several" if count > 1 else "one" if count else "none"
    return {answer: 0.93 if answer == expected else 0.035 for answer in ("none", "one", "several")}


def offers(network: Network) -> Iterable[Offer]:
    """The nodes' addresses, where the announcer configures the service's on one."""
    if network.flow.address and _configures(network):
        yield Offer(
            question=Question(KIND, "cluster", ("bound",)),
            where="every node",
            command=f"ip addr | grep -w {network.flow.address}",
            cost=20,
            words={"none": "no node has it", "one": "one node has it", "several": "several nodes have it"},
        )


def means(world: World, question: Question) -> str:
    """Who holds it there."""
    flow = world.network.flow
    holders = announced(world, flow.service, flow.address).layer2
    extra = tuple(n for n in world.network.nodes if world.get(n, EXTRA_RESPONDER) and n not in holders)
    return "held by " + (", ".join(n.removeprefix("node/") for n in (*holders, *extra)) or "no node")
