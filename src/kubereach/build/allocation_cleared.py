"""Which reasons for a missing address configuration speaks against, and whether the allocating controller is there.

What is shown in part decides nothing: a pool clears itself with its ranges and selectors, a service with its whole
object, the list of services only when it is complete and of all namespaces.
"""

from __future__ import annotations

import re

from kubereach.build.allocation import Wish, held, options, wish_of
from kubereach.build.leaves import Leaves
from kubereach.build.pools import Objects, Pool, find_pools
from kubereach.model.attribute import ADDRESSES, ALLOCATION_CLEARED, ALLOCATOR_MISSING
from kubereach.model.fact import Fact, ObjectListing
from kubereach.model.origin import Origin

# The pods of controllers that give addresses, and a pod of the same product whose presence shows it installed.
CONTROLLERS = (
    (r"(?:metallb-)?controller-[a-z0-9]", r"(?:metallb-)?speaker-[a-z0-9]"),
    (r"cilium-operator-[a-z0-9]", r"cilium-[a-z0-9]{5}$"),
)


def put_cleared(objects: Objects, facts: tuple[Fact, ...], leaves: Leaves) -> None:
    """Put what speaks against reasons, for every service whose address is seen to be pending."""
    pools = find_pools(objects, facts)
    wishes = [wish_of(s) for (kind, _, _), s in objects.items() if kind == "Service"]
    complete = any(isinstance(f, ObjectListing) and f.kind == "Service" and _whole(f) for f in facts)
    taken = {a for w in wishes for a in held(w)}
    shown, classes = options(objects)
    for wish in wishes:
        subject = f"service/{wish.service.namespace}/{wish.service.name}"
        if leaves.get(subject, ADDRESSES) != ():
            continue
        fitting = _fitting(wish, pools)
        cleared = ["no-pool"] if fitting else []
        if complete and any(_size(p) > sum(1 for a in taken if p.holds(a)) for p in fitting):
            cleared.append("exhausted")
        if _is_whole(wish):
            free = complete and all(a not in taken and any(p.holds(a) for p in fitting) for a in wish.addresses)
            asks = bool(wish.pools or wish.key) or bool(wish.addresses and not free)
            cleared += [] if asks else ["refused"]
            cleared += ["class"] if shown and not classes and not wish.service.text("spec.loadBalancerClass") else []
        if cleared:
            leaves.put(subject, ALLOCATION_CLEARED, tuple(cleared), _origins(wish, fitting))
    _put_missing(facts, leaves)


def _whole(listing: ObjectListing) -> bool:
    return listing.complete and listing.namespace is None and not listing.selector


def _fitting(wish: Wish, pools: tuple[Pool, ...]) -> list[Pool]:
    """Pools whose object is shown and admits the service, whatever its labels that are not shown."""
    service = wish.service
    chosen = [p for p in pools if p.entry is not None and p.ranges and p.product in {"metallb", "cilium", "calico"}]
    if not service.has("metadata.labels"):
        chosen = [p for p in chosen if not (p.entry and p.entry.has("spec.serviceSelector"))]
    return [p for p in chosen if p.admits(service.namespace, wish.labels, named=bool(wish.addresses or wish.pools))]


def _size(pool: Pool) -> int:
    return sum(r.size for r in pool.ranges)


def _is_whole(wish: Wish) -> bool:
    """Whether the service's object is shown with its metadata, where requests stand."""
    service = wish.service
    return service.has("spec.ports") and service.has("metadata.name") and service.has("spec.type")


def _origins(wish: Wish, fitting: list[Pool]) -> tuple[Origin, ...]:
    return (*(o for p in fitting for o in p.origins[:1]), *wish.service.origins("spec.ports")[:1])


def _put_missing(facts: tuple[Fact, ...], leaves: Leaves) -> None:
    """A complete list of the pods of all namespaces that has a product's agents and no controller of it."""
    for fact in facts:
        if not isinstance(fact, ObjectListing) or fact.kind != "Pod" or not _whole(fact):
            continue
        for controller, agent in CONTROLLERS:
            there = any(re.match(agent, name) for name in fact.names)
            if there and not any(re.match(controller, name) for name in fact.names):
                leaves.put("cluster", ALLOCATOR_MISSING, value=True, origins=(fact.origin,), trust=fact.trust)
