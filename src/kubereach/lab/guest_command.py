"""A command on a host of a lab in a guest, as a process of this machine: it prints what the command prints.

`python -m kubereach.lab.guest_command SHARE HOST COMMAND…`; the exit status is the command's, and a signal that ends
this process ends the command.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from types import FrameType

import msgspec

from kubereach.lab.guest_channel import STEP, Answer, Channel, Request
from kubereach.lab.lab import CommandError


def main(words: list[str]) -> int:
    """Run it to its end; 126 where that cannot be."""
    channel = Channel(Path(words[0]))
    try:
        name = channel.send(Request(kind="stream", words=tuple(words[1:])))

        def end(_signal: int, _frame: FrameType | None) -> None:
            channel.ring(f"end {name}")

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        return _follow(channel, name)
    except CommandError as error:
        sys.stderr.write(f"{error}\n")
        return 126


def _follow(channel: Channel, name: str) -> int:
    """Hand on what the guest writes; the command's exit status. Raises CommandError when the guest ends."""
    out, at = channel.share / "answers" / f"{name}.out", 0
    answer: Answer | None = None
    while True:
        answer = channel.look(name)
        if out.exists():
            with out.open("rb") as file:
                file.seek(at)
                piece = file.read()
            at += len(piece)
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        if answer:
            out.unlink(missing_ok=True)
            if answer.failed:
                raise CommandError(answer.message)
            status = msgspec.msgpack.decode(answer.value, type=int)
            return status if status >= 0 else 128 - status
        if not channel.open():
            raise CommandError("the lab's guest has ended")
        time.sleep(STEP)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
