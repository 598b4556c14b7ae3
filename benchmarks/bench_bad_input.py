"""Time and peak memory of `kubereach diagnose` on input that nobody should send.

`python benchmarks/bench_bad_input.py [MEGABYTES]` (20 without a number; the noise files have that size).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

LETTERS = b"abcdefghijklmnopqrstuvwxyz      0123456789.:/-\n"
ROW = "NAME   TYPE   CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE\nweb   LoadBalancer   10.96.1.1   203.0.\n"


def binary(path: Path, megabytes: int) -> None:
    chance = random.Random(1)
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(chance.randbytes(1 << 20))


def letters(path: Path, megabytes: int) -> None:
    chance = random.Random(1)
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(bytes(chance.choices(LETTERS, k=1 << 20)))


def one_line(path: Path, megabytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(b"x y " * (1 << 18))


def bomb(path: Path, megabytes: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.txt", "$ ip route\n")
        archive.writestr("bomb.txt", b" \n" * (megabytes << 19))


def aliases(path: Path, megabytes: int) -> None:  # noqa: ARG001 - as its like
    lines = ["apiVersion: v1", "kind: ConfigMap", "metadata: {name: x}", "a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
    path.write_text("\n".join(lines))


def half_tables(path: Path, megabytes: int) -> None:
    path.write_text(ROW * (megabytes * 500))


def prompts(path: Path, megabytes: int) -> None:
    path.write_text("root@node-1:~# ip route\n" * (megabytes * 2000))


CASES: tuple[tuple[str, Callable[[Path, int], None]], ...] = (
    ("binary.txt", binary),
    ("letters.txt", letters),
    ("one-line.txt", one_line),
    ("bomb.zip", bomb),
    ("aliases.yaml", aliases),
    ("half-tables.txt", half_tables),
    ("prompts.txt", prompts),
)


def measured(path: Path) -> tuple[int, float, float]:
    """Exit status, seconds and peak megabytes of one run."""
    begin = time.monotonic()
    words = [sys.executable, "-m", "kubereach", "diagnose", str(path), "-o", "json"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - begin, usage.ru_maxrss / 1024


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder:
        for name, make in CASES:
            path = Path(folder) / name
            make(path, megabytes)
            size = path.stat().st_size / (1 << 20)
            status, seconds, peak = measured(path)
            print(f"{name:16} {size:7.1f} MB: exit {status}, {seconds:6.1f} s, {peak:5.0f} MB", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
