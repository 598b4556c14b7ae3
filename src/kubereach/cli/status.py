"""The exit statuses, which other people's scripts rely on."""

from __future__ import annotations

from kubereach.model.diagnosis import Diagnosis, Role, Verdict

REACHABLE = 0
UNREACHABLE = 1
USAGE = 2
UNDETERMINED = 3
UNREADABLE = 4
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
BROKEN_PIPE = 141  # 128 + SIGPIPE


def exit_status(diagnosis: Diagnosis) -> int:
    """The status of a diagnosis: a flow that only looks broken (all that stands is misread) counts as reachable."""
    if diagnosis.verdict is Verdict.UNDETERMINED:
        return UNDETERMINED
    present = {cause.role for cause in diagnosis.causes} - {Role.LATENT}
    if diagnosis.verdict is Verdict.REACHABLE or present == {Role.MISREAD}:
        return REACHABLE
    return UNREACHABLE
