"""Address pools of every product, brought to one shape (metallb.md section 1, others.md sections 1, 2 and 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from kubereach.build.objects import labels_match
from kubereach.model.address import canonical_address
from kubereach.model.address_range import Range, ranges_of
from kubereach.model.fact import Fact, Setting
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.origin import Origin

Objects = dict[ObjectKey, KubeObject]
METALLB_KINDS = ("IPAddressPool", "AddressPool")


class Pool(Struct, frozen=True, kw_only=True):
    """One pool: what it holds and whom it serves. `entry` is the object, None where only a statement knows it."""

    name: str
    ranges: tuple[Range, ...]
    written: tuple[str, ...]
    origins: tuple[Origin, ...]
    product: str = ""
    automatic: bool = True
    disabled: bool = False
    entry: KubeObject | None = None

    def holds(self, address: str) -> bool:
        """Whether an address lies in it."""
        return any(r.holds(address) for r in self.ranges)

    def admits(self, namespace: str, labels: dict[str, str], *, named: bool = False) -> bool:
        """Whether a service of `namespace` with `labels` may get an address from it; `named` when it asks for it."""
        if self.disabled or not (self.automatic or named):
            return False
        if self.entry is None:
            return True
        spaces = self.entry.scalars("spec.serviceAllocation.namespaces")
        if spaces and namespace not in spaces:
            return False
        chosen = list(self.entry.elements("spec.serviceAllocation.serviceSelectors"))
        if chosen and not any(labels_match(s, "", labels, namespace) for s in chosen):
            return False
        return labels_match(self.entry, "spec.serviceSelector", labels, namespace)


def find_pools(objects: Objects, facts: tuple[Fact, ...]) -> tuple[Pool, ...]:
    """All pools that objects and statements show, each name once."""
    found: dict[str, Pool] = {}
    for pool in (*_from_objects(objects), *_from_statements(facts)):
        known = found.get(pool.name)
        if known is None or not known.ranges:
            found[pool.name] = pool
    return tuple(found.values())


def _from_objects(objects: Objects) -> Iterator[Pool]:
    for (kind, _, name), entry in objects.items():
        if kind in METALLB_KINDS:
            automatic = entry.value("spec.autoAssign") is not False
            yield _pool(name, entry, entry.scalars("spec.addresses"), "metallb", automatic=automatic)
        elif kind == "CiliumLoadBalancerIPPool":
            disabled = entry.value("spec.disabled") is True
            yield _pool(name, entry, _cilium_blocks(entry), "cilium", disabled=disabled)
        elif kind == "IPPool" and "LoadBalancer" in entry.scalars("spec.allowedUses"):
            yield _pool(name, entry, (entry.text("spec.cidr"),), "calico")
        elif kind == "Eip":
            yield _pool(name, entry, (entry.text("spec.address"),), "openelb")
        elif kind == "ConfigMap" and name in {"kubevip", "config", "metallb-config"}:
            yield from _from_config_map(name, entry)


def _pool(
    name: str,
    entry: KubeObject,
    written: tuple[str, ...],
    product: str,
    *,
    automatic: bool = True,
    disabled: bool = False,
) -> Pool:
    return Pool(
        name=name,
        ranges=ranges_of(written),
        written=written,
        origins=entry.origins("spec", "data")[:1] or entry.origins("metadata")[:1],
        product=product,
        automatic=automatic,
        disabled=disabled,
        entry=entry,
    )


def _cilium_blocks(entry: KubeObject) -> tuple[str, ...]:
    found = []
    for path in ("spec.blocks", "spec.cidrs"):
        for block in entry.elements(path):
            start, stop = block.text("start"), block.text("stop")
            found.append(f"{start}-{stop}" if start and stop else block.text("cidr") or start)
    return tuple(f for f in found if f)


def _from_config_map(name: str, entry: KubeObject) -> Iterator[Pool]:
    """MetalLB's ConfigMap of before 0.13, and kube-vip's cloud provider's keys `cidr-NAMESPACE` and `range-global`."""
    for element in entry.elements("data.config.address-pools"):
        automatic = element.value("auto-assign") is not False
        pool = _pool(element.text("name"), element, element.scalars("addresses"), "metallb-config", automatic=automatic)
        yield Pool(**{f: getattr(pool, f) for f in pool.__struct_fields__} | {"origins": entry.origins("data")[:1]})
    if name == "kubevip":
        for key, value in entry.mapping("data").items():
            if key.startswith(("cidr-", "range-")):
                yield _pool(f"kubevip {key}", entry, (value,), "kube-vip")


def _from_statements(facts: tuple[Fact, ...]) -> Iterator[Pool]:
    written: dict[str, list[str]] = {}
    origins: dict[str, Origin] = {}
    manual: set[str] = set()
    for fact in facts:
        if not isinstance(fact, Setting) or fact.value is None:
            continue
        kind, _, name = fact.subject.partition("/")
        about_pool = kind in {"pool", "ippool", "ipaddresspool"} or re.search(r"\bpool\b", fact.attribute.lower())
        named = re.fullmatch(
            r"(?:spec\.)?(?:addresses|address|range|ranges|cidrs?|blocks?)(?:\[\d+\])?(?:\.cidr)?|.*\bpool(?: range)?",
            fact.attribute,
        )
        if kind == "pool" and re.search(r"auto-?assign", fact.attribute, re.I) and str(fact.value).lower() == "false":
            manual.add(name)
        if about_pool and named and fact.attribute != "spec.cidr" and _is_range(str(fact.value)):
            key = name or fact.attribute
            written.setdefault(key, []).append(str(fact.value))
            origins.setdefault(key, fact.origin)
    for key, texts in written.items():
        ranges = ranges_of(tuple(texts))
        where = (origins[key],)
        yield Pool(name=key, ranges=ranges, written=tuple(texts), origins=where, automatic=key not in manual)


def _is_range(text: str) -> bool:
    return bool(ranges_of((text,))) and canonical_address(text) != ""
