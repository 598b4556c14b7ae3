"""Two networks' evidence joined on identity: what was added, removed or changed, and what only one of them covers.

Nothing counts as removed or added unless the other bundle holds what would show it: a complete listing of its kind and
place, or the same form of output of the same object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from kubereach.model.address import contains
from kubereach.model.difference import EvidenceChange, Kind, OneSided
from kubereach.model.fact import (
    AnyFact,
    BgpListing,
    BgpSession,
    Interface,
    InterfaceAddress,
    Neighbour,
    ObjectListing,
    ProbeResult,
    Route,
    RouteListing,
    RouteLookup,
    Scalar,
    Setting,
    VirtualServer,
    VirtualServerListing,
)
from kubereach.model.kube_object import Field, KubeObject, ObjectKey
from kubereach.model.network import Network
from kubereach.model.origin import Origin

Key = tuple[Kind, str, str]  # kind, subject, what

OTHER_BUNDLE = "the other bundle"  # the origin of what one bundle is told of the other
# Moves with every write or every minute and says nothing of the way of a packet.
_VOLATILE = (
    r"metadata\.(?:resourceVersion|generation|uid|creationTimestamp|age|managedFields.*|selfLink)$|status\.age$"
    r"|.*(?:[tT]ransitionTime|[pP]robeTime|[hH]eartbeatTime|observedGeneration|restarts|restartCount|renewTime|startTime|\bage)$"
)


class Shown(Struct, frozen=True):
    """What one bundle shows under a key."""

    value: str
    origins: tuple[str, ...]


class Side(Struct, frozen=True):
    """One bundle's network with the facts that it was built of (listings close their scope)."""

    network: Network
    facts: tuple[AnyFact, ...]


def compared(before: Side, after: Side) -> tuple[tuple[EvidenceChange, ...], tuple[OneSided, ...]]:
    """The changes, and what is not comparable, each in the order of their keys."""
    was, now = _shown(before.network), _shown(after.network)
    changes: list[EvidenceChange] = []
    one_sided: list[OneSided] = []
    for key in sorted({*was, *now}):
        old, new = was.get(key), now.get(key)
        if old is not None and new is not None:
            if old.value != new.value:
                changes.append(_change(key, "changed", old, new))
        elif old is not None:
            _missing(key, old, before, after, "before", changes, one_sided)
        elif new is not None:
            _missing(key, new, after, before, "after", changes, one_sided)
    return tuple(_folded(changes)), tuple(_folded_sides(one_sided))


def _missing(
    key: Key,
    shown: Shown,
    mine: Side,
    other: Side,
    only_in: Literal["before", "after"],
    changes: list[EvidenceChange],
    one_sided: list[OneSided],
) -> None:
    """What one bundle alone shows: a change where the other covers its place, not comparable where it does not."""
    if _covers(other, key, mine):
        old, new = (shown, None) if only_in == "before" else (None, shown)
        changes.append(_change(key, "removed" if new is None else "added", old, new))
    else:
        kind, subject, what = key
        one_sided.append(
            OneSided(only_in=only_in, kind=kind, subject=subject, what=what, value=shown.value, origins=shown.origins)
        )


def _change(
    key: Key, change: Literal["added", "removed", "changed"], old: Shown | None, new: Shown | None
) -> EvidenceChange:
    kind, subject, what = key
    return EvidenceChange(
        kind=kind,
        change=change,
        subject=subject,
        what=what,
        before=old.value if old else None,
        after=new.value if new else None,
        origins_before=old.origins if old else (),
        origins_after=new.origins if new else (),
    )


def _folded(changes: list[EvidenceChange]) -> Iterator[EvidenceChange]:
    """An object that came or went whole is one change, and not one for each of its fields."""
    whole = {(c.subject, c.change) for c in changes if c.kind == "object" and not c.what}
    for change in changes:
        if change.kind != "object" or not change.what or (change.subject, change.change) not in whole:
            yield change


def _folded_sides(found: list[OneSided]) -> Iterator[OneSided]:
    whole = {(s.subject, s.only_in) for s in found if s.kind == "object" and not s.what}
    for side in found:
        if side.kind != "object" or not side.what or (side.subject, side.only_in) not in whole:
            yield side


def _shown(network: Network) -> dict[Key, Shown]:
    values: dict[Key, dict[str, None]] = {}
    origins: dict[Key, dict[str, None]] = {}

    def put(key: Key, value: str, origin: Origin) -> None:
        values.setdefault(key, {}).setdefault(value)
        origins.setdefault(key, {}).setdefault(origin.label())

    for object_key, entry in network.objects.items():
        subject = _object_name(object_key)
        for path, leaf in entry.fields.items():
            if not re.match(_VOLATILE, path) and not path.startswith("status.conditions["):
                put(("object", subject, path), _word(leaf.value), leaf.origin)
        for path, word, origin in _conditions(entry):
            put(("object", subject, path), word, origin)
        first = next(iter(entry.fields.values()), None)
        if first is not None:
            put(("object", subject, ""), "present", first.origin)
    for fact in network.observed:
        if not fact.given and fact.origin.source != OTHER_BUNDLE and (told := _told(fact)):
            key, value = told
            put(key, value, fact.origin)
    return {key: Shown("; ".join(sorted(found)), tuple(origins[key])) for key, found in values.items()}


def _conditions(entry: KubeObject) -> Iterator[tuple[str, str, Origin]]:
    """Conditions by their type, whose order means nothing."""
    for element in entry.elements("status.conditions"):
        if kind := element.text("type"):
            said = ": ".join(filter(None, (element.text("status"), element.text("message"))))
            yield f"status.conditions.{kind}", said, next(iter(element.fields.values())).origin


def _object_name(key: ObjectKey) -> str:
    kind, namespace, name = key
    return f"{kind}/{namespace}/{name}"


def _word(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _told(fact: AnyFact) -> tuple[Key, str] | None:
    """A fact's identity and its value in words; None for what belongs to one moment (packets, log lines)."""
    match fact:
        case Route():
            hops = " ".join(f"via {hop.via or hop.interface}" for hop in fact.next_hops) or fact.kind
            used = "" if fact.active is not False else ", not active"
            return ("route", fact.device, f"{fact.table} {fact.prefix}"), f"{hops} ({fact.protocol}{used})"
        case BgpSession():
            said = " ".join(filter(None, (fact.state, fact.error)))
            counted = "" if fact.prefixes_received is None else f", {fact.prefixes_received} prefixes received"
            return ("session", fact.device, fact.peer or fact.name), f"{said}{counted}"
        case InterfaceAddress():
            return ("address", fact.device, fact.interface), f"{fact.address}/{fact.prefix_length}"
        case Interface():
            mtu = "" if fact.mtu is None else f" mtu {fact.mtu}"
            return ("link", fact.device, fact.name), f"{fact.state or ','.join(fact.flags)}{mtu}".strip()
        case Neighbour():
            return ("neighbour", fact.device, fact.address), fact.mac or "unresolved"
        case VirtualServer():
            servers = " ".join(sorted(f"{s.address}:{s.port}" for s in fact.real_servers)) or "no destination"
            return ("virtual-server", fact.device, f"{fact.protocol} {fact.address}:{fact.port}"), servers
        case RouteLookup():
            where = f"{fact.address} from {fact.from_address}" if fact.from_address else fact.address
            return ("lookup", fact.device, where), f"{fact.kind} via {fact.via or fact.interface}"
        case ProbeResult():
            port = "" if fact.port is None else f":{fact.port}"
            at = f" at {fact.at}" if fact.at else ""
            target = fact.target or fact.target_name
            return ("probe", fact.source, f"{fact.probe.value} {target}{port}{at}".strip()), fact.outcome.value
        case Setting():
            return ("setting", fact.subject, fact.attribute), _word(fact.value)
        case _:
            return None


def _covers(side: Side, key: Key, other: Side) -> bool:
    """Whether a bundle that does not show `key` would, were it there."""
    kind, subject, what = key
    if kind == "object":
        return _covers_object(side, subject, what, other)
    if kind == "route":
        table, _, prefix = what.partition(" ")
        return any(_lists_route(fact, subject, table, prefix) for fact in side.network.observed)
    if kind == "session":
        return _lists(side.network.observed, BgpListing, subject)
    return kind == "virtual-server" and _lists(side.network.observed, VirtualServerListing, subject)


def _lists(facts: Iterable[AnyFact], listing: type[BgpListing | VirtualServerListing], device: str) -> bool:
    return any(isinstance(f, listing) and f.complete and f.device == device for f in facts)


def _lists_route(fact: AnyFact, device: str, table: str, prefix: str) -> bool:
    if not isinstance(fact, RouteListing) or not fact.complete or (fact.device, fact.table) != (device, table):
        return False
    inside = not fact.prefix or fact.prefix == prefix or contains(fact.prefix, prefix.partition("/")[0])
    return inside and not fact.protocol


def _covers_object(side: Side, subject: str, path: str, other: Side) -> bool:
    kind, namespace, name = subject.split("/", 2)
    entry = side.network.objects.get((kind, namespace, name))
    if entry is None:
        listings = [f for f in side.facts if isinstance(f, ObjectListing) and f.kind == kind and f.complete]
        # Without a namespace kubectl lists the context's own; cluster-scoped kinds stand under "default" here as well.
        fitting = [f for f in listings if f.namespace is None or (f.namespace or "default") == namespace]
        return any(not f.selector and name not in f.names for f in fitting)
    mine = other.network.objects[kind, namespace, name].fields
    leaf = mine.get(path) or _condition_leaf(mine, path)
    form = _form(leaf.origin) if leaf else ""
    return bool(form) and any(_form(found.origin) == form for found in entry.fields.values())


def _condition_leaf(fields: dict[str, Field], path: str) -> Field | None:
    if not path.startswith("status.conditions."):
        return None
    return next((leaf for where, leaf in fields.items() if where.startswith("status.conditions[")), None)


def _form(origin: Origin) -> str:
    """The form that shows an object in full; "" for tables, which show a choice of its fields."""
    if re.search(r"\bdescribe\b", origin.command):
        return "describe"
    full = re.search(r"(?:-o|--output)[ =]?(?:yaml|json)\b", origin.command) or origin.source.endswith(
        (".yaml", ".json")
    )
    return "manifest" if full else ""
