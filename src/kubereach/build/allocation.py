"""What an allocator does with each service, as far as configuration decides it.

Rules: MetalLB controller/service.go and internal/allocator; Cilium LB IPAM; others.md sections 1 to 4.

Puts ALLOCATION_FAULT with its reason for a service whose address is pending or not shown, and the faults of a given
address: one that no host can use, one that something else owns.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.build.leaves import Leaves
from kubereach.build.pools import Objects, Pool, find_pools
from kubereach.model.address import canonical_address
from kubereach.model.attribute import (
    ADDRESSES,
    ALLOCATION_FAULT,
    ALLOCATION_WHY,
    POOL_ADDRESSES,
    POOLS,
)
from kubereach.model.fact import Fact, ObjectListing, Setting, Trust
from kubereach.model.kube_object import KubeObject
from kubereach.model.origin import Origin

REQUEST_KEYS = (
    "metallb.universe.tf/loadBalancerIPs",
    "metallb.io/loadBalancerIPs",
    "lbipam.cilium.io/ips",
    "io.cilium/lb-ipam-ips",
    "kube-vip.io/loadbalancerIPs",
    "projectcalico.org/loadBalancerIPs",
)
SHARING_KEYS = (
    "metallb.universe.tf/allow-shared-ip",
    "metallb.io/allow-shared-ip",
    "lbipam.cilium.io/sharing-key",
    "io.cilium/lb-ipam-sharing-key",
)
POOL_KEYS = (
    "metallb.universe.tf/address-pool",
    "metallb.universe.tf/ip-address-pool",
    "metallb.io/address-pool",
    "metallb.io/ip-address-pool",
)
NOTHING = frozenset({"", "none", "null", "pending", "<pending>", "<none>", "[]", "{}", "no address", "unset"})
CLASS_OWNERS = {
    "io.cilium/": ("cilium",),
    "kube-vip.io/": ("kube-vip",),
    "tailscale": ("tailscale",),
    "openelb": ("openelb",),
    "lb.kubesphere.io": ("openelb",),
    "purelb": ("purelb",),
    "loxilb": ("loxilb",),
    "calico": ("calico",),
}
ALLOCATORS = frozenset(
    [
        "metallb",
        "cilium",
        "kube-vip",
        "klipper",
        "servicelb",
        "k3s",
        "openelb",
        "purelb",
        "loxilb",
        "porter",
        "openstack",
        "aws",
        "azure",
        "gcp",
        "cloud",
    ]
)


class Refusal(Struct, frozen=True):
    """Why no address is given: the reason's key, in words, and where that stands."""

    reason: str
    why: str
    origins: tuple[Origin, ...] = ()
    trust: Trust = Trust.OUTPUT


class Wish(Struct, frozen=True):
    """What a service asks for."""

    service: KubeObject
    addresses: tuple[str, ...]
    pools: tuple[str, ...]
    key: str
    labels: dict[str, str]


def put_allocation(objects: Objects, facts: tuple[Fact, ...], stack: frozenset[str], leaves: Leaves) -> None:
    """Put the leaves of pools, and of every service whose address is not there."""
    pools = find_pools(objects, facts)
    _put_pools(pools, leaves)
    _put_stated_pending(facts, leaves)
    version = _metallb_version(facts)
    wishes = [wish_of(s) for (kind, _, _), s in objects.items() if kind == "Service"]
    for wish in wishes:
        service = wish.service
        subject = f"service/{service.namespace}/{service.name}"
        if leaves.get(subject, ADDRESSES) or service.text("spec.type") in {"ClusterIP", "NodePort", "ExternalName"}:
            continue
        pending = leaves.get(subject, ADDRESSES) == ()
        found = _by_class(wish, facts, objects, stack) if pending or service.has("spec.loadBalancerClass") else None
        found = found or _by_sharing(wish, wishes)
        found = found or (_by_request(wish, pools) if pending else None)
        found = found or (_by_pools(wish, pools, facts, version) if pending else None)
        found = found or (_by_exhaustion(wish, pools, wishes) if pending else None)
        if found:
            leaves.put(subject, ALLOCATION_FAULT, found.reason, found.origins, found.trust)
            leaves.put(subject, ALLOCATION_WHY, found.why, found.origins, found.trust)


def _put_pools(pools: tuple[Pool, ...], leaves: Leaves) -> None:
    for pool in pools:
        if pool.written and leaves.get(f"pool/{pool.name}", POOL_ADDRESSES) is None:
            leaves.put(f"pool/{pool.name}", POOL_ADDRESSES, pool.written, pool.origins)
    if pools and leaves.get("cluster", POOLS) is None:
        leaves.put("cluster", POOLS, tuple(p.name for p in pools), pools[0].origins)


def _put_stated_pending(facts: tuple[Fact, ...], leaves: Leaves) -> None:
    """`EXTERNAL-IP: <pending>` and `status.loadBalancer: pending`, in the words people use."""
    for fact in facts:
        if not isinstance(fact, Setting) or not fact.subject.startswith("service/") or "*" in fact.subject:
            continue
        about = re.search(r"external-?ip\b(?!s)|status(?:\.loadBalancer(?:\.ingress)?)?$", fact.attribute, re.I)
        said = "" if fact.value is None else str(fact.value).strip().lower()
        empty = said in NOTHING or said.startswith(("pending", "<pending>"))
        if about and empty and not leaves.get(fact.subject, ADDRESSES):
            leaves.put(fact.subject, ADDRESSES, (), (fact.origin,), fact.trust)


def _metallb_version(facts: tuple[Fact, ...]) -> int | None:
    """13 for MetalLB 0.13.x; None when it is not said."""
    for fact in facts:
        if isinstance(fact, Setting) and (found := re.search(r"metallb\D{0,12}0\.(\d{1,2})", str(fact.value), re.I)):
            return int(found[1])
    return None


def wish_of(service: KubeObject) -> Wish:
    """What the service asks for in its specification and annotations."""
    notes = service.mapping("metadata.annotations")
    asked = [service.text("spec.loadBalancerIP"), *(notes.get(k, "") for k in REQUEST_KEYS)]
    addresses = [a for text in asked for part in text.split(",") if (a := canonical_address(part))]
    pools = [name.strip() for k in POOL_KEYS for name in notes.get(k, "").split(",") if name.strip()]
    key = next((notes[k] for k in SHARING_KEYS if k in notes), "")
    labels = service.mapping("metadata.labels")
    return Wish(service, tuple(dict.fromkeys(addresses)), tuple(dict.fromkeys(pools)), key, labels)


def options(objects: Objects) -> tuple[bool, tuple[tuple[str, Origin], ...]]:
    """Whether MetalLB's controller is shown with its arguments, and the class that they limit it to."""
    shown = False
    found: list[tuple[str, Origin]] = []
    for (kind, namespace, name), entry in objects.items():
        if kind not in {"Deployment", "Pod"} or not re.match(r"(?:metallb-)?controller\b", name):
            continue
        paths = [p for p in entry.fields if re.search(r"\.(?:args|command)\[\d+\]$", p)]
        shown = shown or (bool(paths) and "metallb" in f"{namespace} {name}")
        leaves = [entry.fields[path] for path in paths]
        values = [(re.match(r"--lb-class=(.+)", str(leaf.value)), leaf.origin) for leaf in leaves]
        found += [(option[1], origin) for option, origin in values if option]
    return shown, tuple(found)


def _served_class(facts: tuple[Fact, ...], objects: Objects) -> tuple[str, Origin] | None:
    """The one class that the controller was told to take."""
    for fact in facts:
        option = isinstance(fact, Setting) and re.search(r"lb-?_?class|loadBalancerClass$", fact.attribute, re.I)
        if option and isinstance(fact, Setting) and not fact.subject.startswith("service/"):
            return ("" if fact.value is None else str(fact.value)), fact.origin
    return next(iter(options(objects)[1]), None)


def _by_class(wish: Wish, facts: tuple[Fact, ...], objects: Objects, stack: frozenset[str]) -> Refusal | None:
    """A class that no installed product takes; or none, where the controller was told to take only one."""
    service = wish.service
    wanted = service.text("spec.loadBalancerClass")
    told = _served_class(facts, objects)
    served = told[0] if told else ""
    if not wanted:
        if told and served and served.lower() not in NOTHING:
            return Refusal("class", f"the controller takes only class {served}, the service names none", (told[1],))
        return None
    owners = next((names for prefix, names in CLASS_OWNERS.items() if wanted.startswith(prefix)), ())
    known = stack & ALLOCATORS
    if wanted == served or any(owner in stack for owner in owners) or not known:
        return None
    where = service.origins("spec.loadBalancerClass")
    trust = service.trust("spec.loadBalancerClass")
    return Refusal("class", f"loadBalancerClass {wanted} belongs to no installed load balancer", where, trust)


def _by_sharing(wish: Wish, wishes: list[Wish]) -> Refusal | None:
    """An address that another service holds or asks for, without what sharing it needs."""
    others = [o for o in wishes if o.service is not wish.service]
    for address in wish.addresses:
        for other in others:
            asked = address in other.addresses or address in held(other)
            if asked and (found := _not_shareable(wish, other, address)):
                return found
    return None


def held(wish: Wish) -> tuple[str, ...]:
    """The addresses that the service has."""
    found = (canonical_address(e.text("ip")) for e in wish.service.elements("status.loadBalancer.ingress"))
    return tuple(a for a in found if a)


def _not_shareable(wish: Wish, other: Wish, address: str) -> Refusal | None:
    service = wish.service
    both = f"{address} is also asked for by {other.service.name}"
    shown = service.has("metadata.annotations") or service.has("metadata.labels")
    labelled = next((k for k in SHARING_KEYS if k in wish.labels and not wish.key), "")
    if labelled:
        where = service.origins("metadata.labels")
        return Refusal("refused", f"{both}, and the sharing key {labelled} is a label, not an annotation", where[:1])
    where = service.origins("metadata.annotations", "spec.loadBalancerIP", "spec")[:1]
    if shown and not wish.key and held(other):
        return Refusal("refused", f"{both}, and the service has no sharing key", where)
    if wish.key and other.key and wish.key != other.key:
        return Refusal("refused", f"{both} with another sharing key ({other.key} and {wish.key})", where)
    ports = {(e.text("protocol") or "TCP", e.number("port")) for e in service.elements("spec.ports")}
    theirs = {(e.text("protocol") or "TCP", e.number("port")) for e in other.service.elements("spec.ports")}
    if wish.key and ports & theirs:
        protocol, port = min(ports & theirs, key=str)
        return Refusal("refused", f"{both}, and both serve {protocol} {port}", where)
    local = "Local" in {w.service.text("spec.externalTrafficPolicy") for w in (wish, other)}
    mine, other_selector = service.mapping("spec.selector"), other.service.mapping("spec.selector")
    if wish.key and local and mine and other_selector and mine != other_selector:
        return Refusal("refused", f"{both}; with policy Local both must select the same pods", where)
    return None


def _by_request(wish: Wish, pools: tuple[Pool, ...]) -> Refusal | None:
    """An address outside all pools, an unknown pool, or a family that no pool has."""
    service, ranges = wish.service, [r for p in pools for r in p.ranges]
    where = service.origins("metadata.annotations", "spec.loadBalancerIP")[:1] or service.origins("spec")[:1]
    if not ranges:
        return None
    for address in wish.addresses:
        if not any(p.holds(address) for p in pools):
            shown = ", ".join(t for p in pools for t in p.written)
            return Refusal("refused", f"the requested {address} lies in no pool ({shown})", where)
    names = {p.name for p in pools}
    if missing := [name for name in wish.pools if name not in names]:
        return Refusal("refused", f"the requested pool {missing[0]} is not among {', '.join(sorted(names))}", where)
    wanted = {"IPv4": 4, "IPv6": 6}
    families = {wanted[f] for f in service.scalars("spec.ipFamilies") if f in wanted}
    have = {r.version for r in ranges}
    strict = service.text("spec.ipFamilyPolicy") in {"RequireDualStack", "SingleStack", ""}
    if families and strict and not families <= have:
        lacking = min(families - have)
        return Refusal("refused", f"no pool has IPv{lacking} addresses", service.origins("spec.ipFamilies")[:1])
    return None


def _by_pools(wish: Wish, pools: tuple[Pool, ...], facts: tuple[Fact, ...], version: int | None) -> Refusal | None:
    """No pool at all, or none that admits the service."""
    service = wish.service
    if not pools:
        return _nothing_listed(facts)
    legacy = [p for p in pools if p.product == "metallb-config"]
    if legacy and len(legacy) == len(pools) and version is not None and version >= LEGACY_GONE:
        why = f"MetalLB 0.{version} no longer reads pools from a ConfigMap"
        return Refusal("no-pool", why, legacy[0].origins)
    named = bool(wish.addresses or wish.pools)
    if not any(p.admits(service.namespace, wish.labels, named=named) for p in pools):
        labelled = service.has("metadata.labels")
        choosy = any(p.entry is not None and p.entry.has("spec.serviceSelector") for p in pools)
        if choosy and not labelled:
            return None  # the labels that would decide are not shown
        names = ", ".join(p.name for p in pools)
        return Refusal("no-pool", f"no pool admits the service ({names})", pools[0].origins[:1])
    return None


LEGACY_GONE = 13  # MetalLB 0.13 replaced the ConfigMap by resources


def _nothing_listed(facts: tuple[Fact, ...]) -> Refusal | None:
    kinds = {"IPAddressPool", "AddressPool", "CiliumLoadBalancerIPPool", "Eip"}
    for fact in facts:
        if isinstance(fact, ObjectListing) and fact.kind in kinds and fact.complete and not fact.names:
            return Refusal("no-pool", f"there is no {fact.kind}", (fact.origin,), fact.trust)
        if not isinstance(fact, Setting) or not _says_none(fact):
            continue
        if re.fullmatch(r"(?:.*\W)?(?:ip)?(?:address)?\W?pools?(?:\W(?:count|number|objects))?", fact.attribute, re.I):
            return Refusal("no-pool", "there is no address pool", (fact.origin,), fact.trust)
        if fact.attribute in kinds or fact.subject in kinds:
            return Refusal("no-pool", f"there is no {fact.attribute}", (fact.origin,), fact.trust)
    return None


def _says_none(fact: Setting) -> bool:
    said = "" if fact.value is None else str(fact.value).strip().lower()
    return said in NOTHING | {"0", "absent", "false", "missing", "not created", "no resources found"}


def _by_exhaustion(wish: Wish, pools: tuple[Pool, ...], wishes: list[Wish]) -> Refusal | None:
    """Every admitting pool's addresses are held by services."""
    taken = {a for w in wishes for a in held(w)}
    service, named = wish.service, bool(wish.pools or wish.addresses)
    asked = [p for p in pools if p.ranges and (not wish.pools or p.name in wish.pools)]
    fitting = [p for p in asked if p.admits(service.namespace, wish.labels, named=named)]
    if not fitting:
        return None
    for pool in fitting:
        if sum(r.size for r in pool.ranges) > sum(1 for a in taken if pool.holds(a)):
            return None
    names = ", ".join(f"{p.name} ({', '.join(p.written)})" for p in fitting)
    return Refusal("exhausted", f"services hold every address of {names}", fitting[0].origins[:1])
