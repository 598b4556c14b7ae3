"""How long work takes, for tests that compare it with other work of the same run."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def spent(work: Callable[[], object], tries: int = 3) -> float:
    """CPU seconds of the fastest of `tries` runs, the garbage collector off.

    In a long run of tests the heap is large and one collection takes a second, which says nothing about the work.
    """
    best = float("inf")
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(tries):
            began = time.process_time()
            work()
            best = min(best, time.process_time() - began)
    finally:
        if collecting:
            gc.enable()
    return best
