"""World: a network completed with nominal values, and changed by what a hypothesis supposes."""

from __future__ import annotations

from collections.abc import Mapping

from kubereach.model.attribute import Attribute, Key, T
from kubereach.model.network import Network
from kubereach.simulate.nominal import NOMINAL

Changes = Mapping[Key, object]


class World:
    """Leaves by name: a change wins over what was seen, and what was seen over the nominal value.

    `reads` collects the keys that were asked for, so that a prediction knows what it depends on; `read_nominal` those
    whose answer was an assumption. Derived values are cached by name, with the leaves that they read.
    """

    def __init__(self, network: Network, changes: Changes | None = None) -> None:
        self.network = network
        self.changes: dict[Key, object] = dict(changes or {})
        self.reads: set[Key] = set()
        self._derived: dict[object, tuple[object, frozenset[Key]]] = {}

    def get(self, subject: str, attribute: Attribute[T]) -> T:
        """The value of a leaf in this world."""
        key = (subject, attribute.name)
        self.reads.add(key)
        if key in self.changes:
            return self.changes[key]  # type: ignore[return-value]  # typed by its attribute
        seen = self.network.settings.get(key)
        if seen is not None:
            return seen.value  # type: ignore[return-value]  # typed by its attribute
        nominal = NOMINAL[attribute.name]
        return nominal(self, subject) if callable(nominal) else nominal  # type: ignore[no-any-return]

    def known(self, subject: str, attribute: Attribute[T]) -> bool:
        """Whether the leaf is seen or changed, and so no assumption."""
        key = (subject, attribute.name)
        self.reads.add(key)
        return key in self.changes or key in self.network.settings

    def changed(self, changes: Changes) -> World:
        """A copy with further changes."""
        return World(self.network, {**self.changes, **changes})

    def cached(self, name: object) -> object | None:
        """A derived value, counting as read what it read."""
        found = self._derived.get(name)
        if found is None:
            return None
        self.reads |= found[1]
        return found[0]

    def start(self) -> set[Key]:
        """Begin to record a derivation: returns the record so far, to be given to `keep`."""
        before, self.reads = self.reads, set()
        return before

    def keep(self, name: object, value: object, before: set[Key]) -> None:
        """End a derivation: cache its value with what it read."""
        self._derived[name] = (value, frozenset(self.reads))
        self.reads |= before
