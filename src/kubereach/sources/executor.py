"""Where commands run and what comes back: the shape that every live source has, and the bounded process behind it.

An executor knows places (`cluster`, `node/NAME`, `router`, `client`, `pod/NS/NAME`), runs a command that only looks
(`sources.readonly`) there, and returns what it printed. How a command gets there is a wrapping of its words, as data.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from kubereach.sources.readonly import RefusedError, checked

PATIENCE = 20.0  # seconds for a command
MOST_BYTES = 8 << 20  # of one output
TIMED_OUT = 124  # the exit status of timeout(1)
NOT_FOUND = 127  # and of a shell that does not find the program
CAPTURING = 10.0  # seconds that a capture lasts at most
LINGERING = 1.5  # seconds after the try: libpcap hands packets on with up to a second's delay


class Output(Struct, frozen=True, kw_only=True):
    """What a command printed (standard error among it), where and when it ran, and how it ended.

    `refused` says why it was not run at all.
    """

    where: str
    command: str
    text: str = ""
    status: int = 0
    taken: str = ""
    refused: str = ""

    @property
    def there(self) -> bool:
        """Whether it ran."""
        return not self.refused and self.status != NOT_FOUND


class Executor(Protocol):
    """Something that runs commands at places."""

    @property
    def places(self) -> tuple[str, ...]:
        """Where commands can run."""

    def run(self, where: str, command: str, seconds: float = PATIENCE) -> Output:
        """Run a command to its end, or until `seconds` have passed. Never raises for what the command does."""

    def during(self, where: str, command: str, action: Callable[[], object]) -> Output:
        """Run a command that watches (tcpdump) while `action` goes on, and for a moment longer."""


class Vantage(Struct, frozen=True, kw_only=True):
    """How a command gets to a place: the words before it, and its environment there."""

    prefix: tuple[str, ...]
    environment: Mapping[str, str] = {}


class CommandExecutor:
    """An executor whose places are wrappings of the command's words into an argument list of this machine.

    `stops_there` says that a signal to the local process reaches the command, which is not so behind ssh.
    """

    def __init__(
        self, places: Sequence[str], wrap: Callable[[str, tuple[str, ...]], list[str]], *, stops_there: bool = True
    ) -> None:
        self._places = tuple(places)
        self._wrap = wrap
        self._stops_there = stops_there

    @property
    def places(self) -> tuple[str, ...]:
        """Where commands can run."""
        return self._places

    def run(self, where: str, command: str, seconds: float = PATIENCE) -> Output:
        """See Executor."""
        return self._run(where, command, lambda words: execute(self._wrap(where, words), seconds))

    def during(self, where: str, command: str, action: Callable[[], object]) -> Output:
        """See Executor. The command ends by itself after CAPTURING seconds, wherever it runs."""
        return self._run(where, command, lambda words: self._watch(where, words, action))

    def _run(self, where: str, command: str, run: Callable[[tuple[str, ...]], tuple[bytes, int]]) -> Output:
        taken = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if where not in self._places:
            return Output(where=where, command=command, taken=taken, refused=f"nothing is known of {where}")
        try:
            data, status = run(checked(command))
        except RefusedError as refused:
            return Output(where=where, command=command, taken=taken, refused=str(refused))
        text = data.decode("utf-8", "replace")
        return Output(where=where, command=command, text=text, status=status, taken=taken)

    def _watch(self, where: str, words: tuple[str, ...], action: Callable[[], object]) -> tuple[bytes, int]:
        bounded = ("timeout", str(CAPTURING), *words)
        with Process(self._wrap(where, bounded)) as process:
            process.wait_for(b"listening on", 2.0)
            action()
            process.wait_for(b"\0", LINGERING)
            if self._stops_there:
                process.stop()
            return process.finish(CAPTURING)


class Several:
    """Executors put together: each place belongs to the first that knows it."""

    def __init__(self, *executors: Executor) -> None:
        self._by_place: dict[str, Executor] = {}
        for executor in executors:
            for place in executor.places:
                self._by_place.setdefault(place, executor)

    @property
    def places(self) -> tuple[str, ...]:
        """Where commands can run."""
        return tuple(self._by_place)

    def run(self, where: str, command: str, seconds: float = PATIENCE) -> Output:
        """See Executor."""
        executor = self._by_place.get(where)
        if executor is None:
            return Output(where=where, command=command, refused=f"nothing is known of {where}")
        return executor.run(where, command, seconds)

    def during(self, where: str, command: str, action: Callable[[], object]) -> Output:
        """See Executor."""
        executor = self._by_place.get(where)
        if executor is None:
            return Output(where=where, command=command, refused=f"nothing is known of {where}")
        return executor.during(where, command, action)


class Process:
    """A process of this machine whose output is read up to a bound of bytes, and which never outlives its reader."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._out = bytearray()
        self._process = subprocess.Popen(  # noqa: S603 - a list of words, no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pipe, selectors.EVENT_READ)

    @property
    def _pipe(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        return self._process.stdout.fileno()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._selector.close()
        assert self._process.stdout is not None  # noqa: S101 - as above
        self._process.stdout.close()
        self._process.wait()

    def wait_for(self, text: bytes, seconds: float) -> bool:
        """Read until `text` was printed (True), or the output ended or `seconds` have passed (False)."""
        end = time.monotonic() + seconds
        while text not in self._out:
            if not self._read(end - time.monotonic()):
                return False
        return True

    def stop(self) -> None:
        """Ask the command to end, more than once where it does not listen."""
        for _ in range(4):
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            self.wait_for(b"\0", 0.4)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)
                return

    def finish(self, seconds: float) -> tuple[bytes, int]:
        """All of the output and the exit status; TIMED_OUT when it had to be killed."""
        end = time.monotonic() + seconds
        while len(self._out) < MOST_BYTES and self._read(end - time.monotonic()):
            pass
        try:
            status = self._process.wait(max(end - time.monotonic(), 0.2 if len(self._out) < MOST_BYTES else 0))
        except subprocess.TimeoutExpired:
            status = TIMED_OUT
        return bytes(self._out[:MOST_BYTES]), status

    def _read(self, seconds: float) -> bool:
        """Read what is there; False when the output ended or nothing came in time."""
        if seconds <= 0 or not self._selector.select(seconds):
            return False
        data = os.read(self._pipe, 65536)
        self._out += data
        return bool(data)


def execute(argv: Sequence[str], seconds: float) -> tuple[bytes, int]:
    """Run a command of this machine: what it printed, and its exit status (NOT_FOUND without such a program)."""
    try:
        with Process(argv) as process:
            return process.finish(seconds)
    except OSError as error:
        return f"{argv[0]}: {error.strerror}\n".encode(), NOT_FOUND
