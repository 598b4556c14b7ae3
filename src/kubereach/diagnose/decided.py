"""Faults whose leaf configuration or a statement may decide: present where it is seen, absent where it is denied."""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Presence, Suspect
from kubereach.model.attribute import Attribute, why
from kubereach.simulate.world import World


def decided(
    world: World, fault: Fault, key: tuple[str, Attribute[bool]], prior: float | None = None
) -> Iterable[Suspect]:
    """The suspect at `key`'s subject, with the reason beside the leaf; unknown with `prior` where unseen."""
    subject, attribute = key
    seen = world.network.seen(subject, attribute)
    if seen is None:
        return (Suspect(fault=fault, subject=subject, prior=prior),)
    said = world.network.seen(subject, why(attribute)) or f"{attribute.name}: {str(seen).lower()}"
    because = tuple((origin, said) for origin in world.network.origins(subject, attribute)[:1])
    presence = Presence.PRESENT if seen else Presence.ABSENT
    return (Suspect(fault=fault, subject=subject, presence=presence, because=because),)
