"""Several routers in one evidence: which of them the nodes talk to, and which one lacks what the other has.

The network model has one router, the one that meets the client's packets. Where two that the evidence tells apart
disagree about the address, the one with the route stands for it, and the other's lack is a doubt of its own.
"""

from __future__ import annotations

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.model.address import contains, prefix_length
from kubereach.model.attribute import PROPAGATION_DOUBT
from kubereach.model.fact import AnyFact, Route, RouteListing, Setting
from kubereach.model.network import Flow


def without_second_router(facts: tuple[AnyFact, ...], flow: Flow, hosts: Hosts, leaves: Leaves) -> tuple[AnyFact, ...]:
    """The facts without the tables of a router that lacks the route which another one has; puts the doubt."""
    if not flow.address:
        return facts
    having: dict[str, Route] = {}
    lacking: dict[str, RouteListing] = {}
    for fact in facts:
        if not isinstance(fact, (Route, RouteListing)) or hosts.resolve(fact.device) != "router" or fact.given:
            continue
        if isinstance(fact, Route) and prefix_length(fact.prefix) > 0 and contains(fact.prefix, flow.address):
            having.setdefault(fact.device, fact)
        elif isinstance(fact, RouteListing) and _closes(fact, flow.address):
            lacking.setdefault(fact.device, fact)
    without = [device for device in lacking if device not in having]
    if not having or not without:
        return facts
    says = f"{without[0]} has no route to {flow.address}, and {next(iter(having))} has"
    first = lacking[without[0]]
    leaves.put("router", PROPAGATION_DOUBT, says, (first.origin,), first.trust)
    return tuple(f for f in facts if not (isinstance(f, (Route, RouteListing)) and f.device in without))


def _closes(listing: RouteListing, address: str) -> bool:
    whole = listing.complete and not listing.protocol
    return whole and (not listing.prefix or contains(listing.prefix, address))


def named_router(fact: Setting) -> str:
    """The device name of a statement about a router: `router` alone, or with its name when it has one."""
    kind, _, name = fact.subject.partition("/")
    return f"router-{name}" if kind == "router" and name else "router"
