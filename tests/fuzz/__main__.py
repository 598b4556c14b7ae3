"""`python -m tests.fuzz [--inputs N] [--seconds S] [--seed K] [READER]...`: mutated goldens, straight into `read`.

Prints one line per reader; exits 1 when one broke its contract.
"""

from __future__ import annotations

import argparse
import sys
import time

from kubereach.evidence.sniff import index
from tests.fuzz.fuzzing import BrokenError, fuzz


def main(words: list[str]) -> int:
    """Fuzz the readers that are named, or all."""
    known = [name for name, _, _ in index()]
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("readers", nargs="*", default=known)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=1e9, help="for each reader at most")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)
    status = 0
    for reader in given.readers:
        begin = time.monotonic()
        try:
            count, slowest = fuzz(reader, given.inputs, given.seed, given.seconds)
        except BrokenError as error:
            sys.stdout.write(f"BROKEN {error}\n")
            status = 1
            continue
        spent = time.monotonic() - begin
        sys.stdout.write(f"{reader:20} {count:8} inputs {spent:7.1f} s, slowest {slowest * 1000:6.1f} ms\n")
        sys.stdout.flush()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
