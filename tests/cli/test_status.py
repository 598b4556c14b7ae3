from __future__ import annotations

import msgspec
import pytest

from kubereach.cli.status import exit_status
from kubereach.model.diagnosis import Cause, Role, Verdict
from tests.report.sample import FULL


def _with(verdict: Verdict, *roles: Role) -> int:
    causes: tuple[Cause, ...] = tuple(msgspec.structs.replace(FULL.causes[0], role=role) for role in roles)
    return exit_status(msgspec.structs.replace(FULL, verdict=verdict, causes=causes))


@pytest.mark.parametrize(
    ("status", "verdict", "roles"),
    [
        (0, Verdict.REACHABLE, ()),
        (0, Verdict.REACHABLE, (Role.LATENT,)),
        (0, Verdict.UNREACHABLE, (Role.MISREAD,)),
        (0, Verdict.DEGRADED, (Role.MISREAD, Role.LATENT)),
        (1, Verdict.UNREACHABLE, (Role.ROOT,)),
        (1, Verdict.UNREACHABLE, (Role.ROOT, Role.MISREAD)),
        (1, Verdict.DEGRADED, (Role.CONTRIBUTING,)),
        (1, Verdict.UNREACHABLE, ()),
        (3, Verdict.UNDETERMINED, (Role.ROOT,)),
        (3, Verdict.UNDETERMINED, (Role.MISREAD,)),
    ],
)
def test_exit_status(status: int, verdict: Verdict, roles: tuple[Role, ...]) -> None:
    assert _with(verdict, *roles) == status
