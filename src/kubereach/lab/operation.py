"""Work on a lab that must be done where its hosts are, which may be another kernel than the caller's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from kubereach.lab.lab import Lab

P = ParamSpec("P")
T = TypeVar("T")


def operation(function: Callable[Concatenate[Lab, P], T]) -> Callable[Concatenate[Lab, P], T]:
    """A function that takes a lab first and runs where that lab's hosts are (see Lab.perform).

    Its other arguments must be plain values, and its result must be what msgspec can write and read back.
    """

    @wraps(function)
    def performed(lab: Lab, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return lab.perform(function, *args, **kwargs)

    return performed
