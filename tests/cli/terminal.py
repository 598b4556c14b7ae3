"""A user at a real terminal: a pseudo-terminal in which the program runs and asks."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

_ASKED = re.compile(r"Question (\d+): on (.+?) \([^)]*\):\s+(\S.*?)\r?\n", re.DOTALL)
_READY = re.compile(r"file\s+NAME[^\n]*(?:\n[^\n]*){0,2}?(?:quit|report\s+as\s+it\s+stands)[^\n]*\.\r?\n\r?\n")


class Session:
    """The program's output so far, what it asked, and its exit status once it ended."""

    def __init__(self, *words: str, cwd: Path | None = None) -> None:
        self.text = ""
        self.asked: list[str] = []
        self.status: int | None = None
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(cwd or Path.cwd())
            environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
            os.execve(sys.executable, [sys.executable, "-m", "kubereach", *words], environment)

    def answer(self, reply: Callable[[str, str], str], seconds: float = 60) -> None:
        """Answer each question with `reply(where, command)` until the program ends."""
        seen, end = 0, time.monotonic() + seconds
        while self.status is None and time.monotonic() < end:
            self._read()
            if ready := _READY.search(self.text, seen):
                question = _ASKED.search(self.text, seen)
                assert question, self.text[seen:]
                seen = ready.end()
                self.asked.append(question[3])
                self.type(reply(question[2], question[3]))
        self.close()

    def wait_for(self, words: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while words not in self.text and self.status is None and time.monotonic() < end:
            self._read()
        assert words in self.text, self.text

    def type(self, text: str) -> None:
        data = text.encode()
        while data:  # a terminal takes in only so much at once
            written = os.write(self.terminal, data[:512])
            data = data[written:]
            self._read(0.02)

    def close(self, seconds: float = 30) -> None:
        """Wait for the end; a program that does not end is killed, and fails the test."""
        end = time.monotonic() + seconds
        while self.status is None and time.monotonic() < end:
            self._read()
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            raise AssertionError(f"it did not end:\n{self.text}")

    def _read(self, seconds: float = 0.2) -> None:
        if select.select([self.terminal], [], [], seconds)[0]:
            try:
                data = os.read(self.terminal, 65536)
            except OSError:  # Linux: the other end is closed
                data = b""
            if data:
                self.text += data.decode(errors="replace").replace("\r\n", "\n")
                return
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.close(self.terminal)
