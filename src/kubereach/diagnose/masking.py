"""Which faults a root hides: they do no harm while it stops the flow earlier, and stop it once the root is gone."""

from __future__ import annotations

from collections.abc import Sequence

from kubereach.diagnose.catalogue import applied, removed
from kubereach.diagnose.explain import Blame
from kubereach.diagnose.roles import service_walk
from kubereach.model.diagnosis import Role


def hidden(root: Blame, blamed: Sequence[Blame]) -> tuple[str, ...]:
    """The codes of the latent faults that would stop the flow after the repair of `root`, in the order of `blamed`.

    Each is put into the world without the root and without the other latent ones, in which the flow works.
    """
    if root.role is not Role.ROOT:
        return ()
    latent = [blame.suspect for blame in blamed if blame.role is Role.LATENT]
    others = [s for s in root.held_in.assumed if s.key != root.suspect.key]
    clean = removed(root.held_in.world, (root.suspect, *others, *latent))
    if not service_walk(clean).works():
        return ()
    codes = (s.fault.code for s in latent if not service_walk(applied(clean, (s,))).works())
    return tuple(dict.fromkeys(codes))
