"""World: a network completed with nominal values, and changed by what a hypothesis supposes."""

from __future__ import annotations

from collections.abc import Mapping

from kubereach.model.attribute import Attribute, Key, T
from kubereach.model.network import Network
from kubereach.simulate.nominal import NOMINAL

Changes = Mapping[Key, object]
# Of a derivation: the leaves it read that are changed, and their values. For each name, a few sets of leaves that it
# was seen to read are kept, and the results by signature.
Signature = tuple[frozenset[Key], tuple[object, ...]]
MOST_READ_SETS = 4
_UNTOUCHED: Signature = (frozenset(), ())


class Shared:
    """What worlds of one network share: derivations, and the leaves that no other leaf decides, completed."""

    __slots__ = ("derived", "leaves", "records")

    def __init__(self) -> None:
        self.derived: dict[object, list[tuple[frozenset[Key], dict[Signature, object]]]] = {}
        self.leaves: dict[Key, object] = {}
        self.records: dict[frozenset[Key], frozenset[Key]] = {}  # what was read, equal sets as one object


class World:
    """Leaves by name: a change wins over what was seen, and what was seen over the nominal value.

    `reads` collects the keys that were asked for, so that a prediction knows what it depends on. Derived values are
    kept with the leaves that they read, and any world of the same network in which those leaves have the same values
    shares them: most hypotheses differ in a leaf that most derivations never look at.
    """

    def __init__(self, network: Network, changes: Changes | None = None, shared: Shared | None = None) -> None:
        self.network = network
        self.changes: dict[Key, object] = dict(changes or {})
        self._changed = frozenset(self.changes)
        self.reads: set[Key] = set()
        self._derived: dict[object, tuple[object, frozenset[Key]]] = {}
        self._shared = Shared() if shared is None else shared
        self._leaves = self._shared.leaves

    def get(self, subject: str, attribute: Attribute[T]) -> T:
        """The value of a leaf in this world."""
        # A walk does this a hundred times: `value` once more, without the call.
        key = (subject, attribute.name)
        self.reads.add(key)
        if key in self.changes:
            return self.changes[key]  # type: ignore[return-value]  # typed by its attribute
        if key in self._leaves:
            return self._leaves[key]  # type: ignore[return-value]
        return self._completed(key)  # type: ignore[return-value]

    def value(self, key: Key) -> object:
        """Like `get`, by the leaf's key."""
        self.reads.add(key)
        if key in self.changes:
            return self.changes[key]
        return self._leaves[key] if key in self._leaves else self._completed(key)

    def _completed(self, key: Key) -> object:
        """What was seen, or the nominal value; kept for all worlds unless it depends on other leaves."""
        seen = self.network.settings.get(key)
        nominal = NOMINAL[key[1]] if seen is None else seen.value
        if seen is None and callable(nominal):
            return nominal(self, key[0])
        self._leaves[key] = nominal
        return nominal

    def known(self, subject: str, attribute: Attribute[T]) -> bool:
        """Whether the leaf is seen or changed, and so no assumption."""
        key = (subject, attribute.name)
        self.reads.add(key)
        return key in self.changes or key in self.network.settings

    def changed(self, changes: Changes) -> World:
        """A copy with further changes."""
        merged = {**self.changes, **{key: value for key, value in changes.items() if not self._is_plain(key, value)}}
        return World(self.network, merged, self._shared)

    def differs(self, other: World) -> frozenset[Key]:
        """The leaves whose changes are not the same in both worlds of one network."""
        mine, theirs = self.changes, other.changes
        keys = {*mine, *theirs}
        return frozenset(k for k in keys if k not in mine or k not in theirs or mine[k] != theirs[k])

    def _is_plain(self, key: Key, value: object) -> bool:
        """Whether the change says what the network says anyway, so that leaving it out makes more worlds equal."""
        if key in self.changes:
            return False
        seen = self.network.settings.get(key)
        if seen is not None:
            return seen.value == value
        nominal = NOMINAL[key[1]]
        return not callable(nominal) and bool(nominal == value)

    def cached(self, name: object) -> object | None:
        """A derived value, counting as read what it read; None when it was not derived yet."""
        found = self._derived.get(name)
        if found is not None:
            self.reads |= found[1]
            return found[0]
        for keys, results in self._shared.derived.get(name, ()):
            result = results.get(self._changed_among(keys))
            if result is not None:
                self._derived[name] = (result, keys)
                self.reads |= keys
                return result
        return None

    def _changed_among(self, keys: frozenset[Key]) -> Signature:
        mine = self._changed & keys
        if not mine:
            return _UNTOUCHED
        return mine, tuple([self.changes[key] for key in (sorted(mine) if len(mine) > 1 else mine)])

    def start(self) -> set[Key]:
        """Begin to record a derivation: returns the record so far, to be given to `keep`."""
        before, self.reads = self.reads, set()
        return before

    def record(self) -> frozenset[Key]:
        """The leaves read since `start`; worlds of one network read few different sets, and share them."""
        mine = frozenset(self.reads)
        return self._shared.records.setdefault(mine, mine)

    def keep(self, name: object, value: object, before: set[Key]) -> None:
        """End a derivation: keep its value with what it read."""
        reads, sets = self.record(), self._shared.derived.setdefault(name, [])
        results = next((found for keys, found in sets if keys is reads), None)
        if results is None and len(sets) < MOST_READ_SETS:
            results = {}
            sets.append((reads, results))
        self._derived[name] = (value, reads)
        if results is not None:
            results[self._changed_among(reads)] = value
        before |= reads
        self.reads = before
