"""How a lab in a guest is spoken to: requests and answers are files of a folder that both kernels see.

SHARE/requests/ID    a Request, whole once it has this name; then ID as a line into SHARE/bell, the guest's console
SHARE/answers/ID     its Answer
SHARE/answers/ID.out what a streamed command has printed so far
The line `end ID` asks the guest to end the command of a request.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from kubereach.errors import UsageError
from kubereach.lab.lab import CommandError

READY = "ready"
STEP = 0.004  # seconds between two looks for an answer


class Request(Struct, frozen=True, kw_only=True):
    """What is asked for: `perform` a function of the lab, `run` a command on a host, or `stream` what it prints.

    `state` is the lab's, where the caller changed it.
    """

    kind: Literal["perform", "run", "stream", "write", "state"]
    words: tuple[str, ...] = ()  # perform: module and function; run, stream: host and command; write: the name
    arguments: dict[str, object] = {}
    state: bytes = b""


class Answer(Struct, frozen=True, kw_only=True):
    """What came of it: `value` is msgpack of the result; `failed` says that an error with `message` was raised."""

    value: bytes = b""
    state: bytes = b""
    failed: Literal["", "usage", "command"] = ""
    message: str = ""
    hint: str = ""


class Channel:
    """The caller's end. `alive` is asked while an answer is waited for."""

    def __init__(self, share: Path) -> None:
        self.share = share

    def ask(self, request: Request, seconds: float) -> Answer:
        """The answer. Raises what the work raised (UsageError, CommandError), and CommandError when none comes."""
        name = self.send(request)
        answer = self.answer(name, seconds)
        if answer.failed == "usage":
            raise UsageError(answer.message, answer.hint)
        if answer.failed:
            raise CommandError(answer.message)
        return answer

    def send(self, request: Request) -> str:
        """Send a request; its ID. Raises CommandError when no guest is there."""
        name = uuid.uuid4().hex
        put(self.share / "requests" / name, msgspec.msgpack.encode(request))
        self.ring(name)
        return name

    def ring(self, line: str) -> None:
        """Say a line to the guest. Raises CommandError when none is there."""
        try:
            bell = os.open(self.share / "bell", os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            raise CommandError(f"the lab's guest has ended; see {self.share}/console.log") from error
        try:
            os.write(bell, f"{line}\n".encode())
        finally:
            os.close(bell)

    def answer(self, name: str, seconds: float) -> Answer:
        """Wait for an answer. Raises CommandError when none comes in time, or the guest ends."""
        end = time.monotonic() + seconds
        while (found := self.look(name)) is None:
            if time.monotonic() > end:
                raise CommandError(f"the lab's guest did not answer within {seconds:.0f} s")
            if not self.open():
                raise CommandError(f"the lab's guest has ended; see {self.share}/console.log")
            time.sleep(STEP)
        return found

    def look(self, name: str) -> Answer | None:
        """An answer that is there; it is taken away."""
        path = self.share / "answers" / name
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        path.unlink()
        return msgspec.msgpack.decode(data, type=Answer)

    def open(self) -> bool:
        """Whether somebody holds the other end of the bell."""
        try:
            os.close(os.open(self.share / "bell", os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True


def put(path: Path, data: bytes) -> None:
    """A file that is whole as soon as it has its name."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(data)
    draft.replace(path)
