"""The ipsets of one program on a host: filled at once, and taken away whole."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from kubereach.lab.lab import Lab, wait

_NEXT = "next"  # the set that is filled beside the one in use


class IpSet(Struct, frozen=True):
    """A set: `kind` is its type with the type's options (`hash:ip family inet`)."""

    name: str
    kind: str
    members: tuple[str, ...] = ()


def restore_text(sets: Iterable[IpSet]) -> str:
    """The text for `ipset restore`: every set is filled beside the one in use, then takes its place."""
    lines: list[str] = []
    for item in sets:
        lines += [f"create {item.name} {item.kind} -exist", f"create {_NEXT} {item.kind}"]
        lines += [f"add {_NEXT} {member} -exist" for member in item.members]
        lines += [f"swap {_NEXT} {item.name}", f"destroy {_NEXT}"]
    return "\n".join([*lines, ""])


def apply(lab: Lab, host: str, sets: Iterable[IpSet]) -> None:
    """Make the sets have these members. Raises CommandError."""
    lab.run(host, "ipset", "restore", stdin=restore_text(sets))


def remove(lab: Lab, host: str, prefix: str) -> None:
    """Destroy the sets whose names begin with `prefix`; no rule may name them any more."""

    def destroyed() -> bool:
        names = [name for name in lab.run(host, "ipset", "list", "-n").out.split() if name.startswith(prefix)]
        text = "".join(f"destroy {name}\n" for name in names)
        return not names or lab.run(host, "ipset", "restore", stdin=text, check=False).ok

    wait(destroyed, 3)  # the kernel lets go of a set a moment after the last rule that named it is gone
