"""The errors that reach a user, each with the next step.

KubereachError
├── UsageError        the command line asks for something that does not exist or does not fit together (exit 2)
└── UnreadableError   there is input, and nothing in it can be read as evidence (exit 4)
"""

from __future__ import annotations


class KubereachError(Exception):
    """What went wrong in one sentence, and what to do next in another."""

    exit_status = 2

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(KubereachError):
    """The words on the command line are off."""


class UnreadableError(KubereachError):
    """The input holds nothing that kubereach can read."""

    exit_status = 4
