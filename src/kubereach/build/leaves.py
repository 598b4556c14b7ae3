"""The table of seen leaves while it is being filled."""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import Attribute, Key, T
from kubereach.model.fact import Trust
from kubereach.model.network import Seen
from kubereach.model.origin import Origin


class Leaves:
    """Collects leaves; of two values the more trusted one stands, and the other is kept as outweighed."""

    def __init__(self) -> None:
        self.table: dict[Key, Seen] = {}

    def put(
        self,
        subject: str,
        attribute: Attribute[T],
        value: T,
        origins: Iterable[Origin] = (),
        trust: Trust = Trust.OUTPUT,
    ) -> None:
        """Take a value in."""
        key, seen = attribute.of(subject), Seen(value, tuple(origins), trust)
        old = self.table.get(key)
        if old is None or old.value == value:
            merged = old.origins if old else ()
            better = max(trust, old.trust) if old else trust
            kept = (old.others, old.rivals) if old else ((), ())
            self.table[key] = Seen(value, tuple(dict.fromkeys((*merged, *seen.origins))), better, *kept)
            return
        winner, loser = (seen, old) if trust > old.trust else (old, seen)
        outweighed = tuple((str(loser.value), origin) for origin in loser.origins[:1])
        rivals = (*old.rivals, loser.value) if loser.trust == winner.trust else ()
        self.table[key] = Seen(winner.value, winner.origins, winner.trust, (*old.others, *outweighed), rivals)

    def get(self, subject: str, attribute: Attribute[T]) -> T | None:
        """The value that stands, or None."""
        seen = self.table.get(attribute.of(subject))
        return None if seen is None else seen.value  # type: ignore[return-value]  # typed by its attribute
