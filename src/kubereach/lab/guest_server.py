"""The guest's side of a lab: takes requests from the channel until the guest ends, each in a thread of its own.

`python -m kubereach.lab.guest_server SHARE NAME`, started by guest_init.sh.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

import msgspec
from msgspec import Struct

from kubereach.errors import UsageError
from kubereach.lab.guest_channel import READY, Answer, Request, put
from kubereach.lab.lab import CommandError, Lab, Result, State, execute

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000  # linux/sched.h; os.setns comes with Python 3.12


class NearLab(Lab):
    """A lab whose commands start in their namespace at once.

    Under user-mode Linux a program's start is what takes time, and `ip netns exec` is one more for each command.
    """

    def run(
        self, host: str, *argv: str, timeout: float = 20, check: bool = True, stdin: str = "", merge: bool = True
    ) -> Result:
        """See Lab.run."""
        with _in_namespace(f"/run/netns/{self.namespace(host)}"):
            return execute(argv, timeout=timeout, check=check, stdin=stdin, merge=merge)

    def sysctl(self, host: str, *settings: str) -> None:
        """See Lab.sysctl: written without a program. Raises CommandError for one that the kernel does not take."""
        with _in_namespace(f"/run/netns/{self.namespace(host)}"):
            for setting in settings:
                name, _, value = setting.partition("=")
                try:
                    _setting(name).write_text(value)
                except OSError as error:
                    raise CommandError(f"sysctl {setting} on {host}: {error.strerror}") from error


def _setting(name: str) -> Path:
    """The file of a setting. Either dots or slashes stand between its parts, and the other within one (sysctl(8))."""
    dotted = name.find(".") < name.find("/") or "/" not in name
    swapped = name.translate(str.maketrans("./", "/.")) if dotted else name
    return Path("/proc/sys", swapped)


@contextmanager
def _in_namespace(path: str) -> Iterator[None]:
    """This thread, and what it starts, are in a network namespace. Raises CommandError where there is none."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(path)
        try:
            yield
        finally:
            _set(own)
    finally:
        os.close(own)


def _enter(path: str) -> None:
    try:
        there = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise CommandError(f"there is no network namespace {path}") from error
    try:
        _set(there)
    finally:
        os.close(there)


def _set(namespace: int) -> None:
    if LIBC.setns(namespace, CLONE_NEWNET):
        raise CommandError(f"setns: {os.strerror(ctypes.get_errno())}")


class Running(Struct):
    """The settings of Lab.run."""

    timeout: float
    check: bool
    stdin: str
    merge: bool


class Server:
    """One lab's server. Operations are done one after the other; commands run beside them."""

    def __init__(self, share: Path, lab: Lab) -> None:
        self._share = share
        self._lab = lab
        self._one = threading.RLock()
        self._streams: dict[str, int] = {}

    def serve(self, lines: Iterable[str]) -> None:
        """Take what the bell says."""
        for line in lines:
            words = line.split()
            if words[:1] == ["end"]:
                self._end(words[-1])
            elif words:
                threading.Thread(target=self._take, args=(words[0],), daemon=True).start()

    def _take(self, name: str) -> None:
        path = self._share / "requests" / name
        try:
            request = msgspec.msgpack.decode(path.read_bytes(), type=Request)
            path.unlink()
            answer = self._answer(name, request)
        except UsageError as error:
            answer = Answer(failed="usage", message=error.message, hint=error.hint)
        except CommandError as error:
            answer = Answer(failed="command", message=str(error))
        except Exception as error:  # noqa: BLE001 - the caller must hear of it, and the server goes on
            answer = Answer(failed="command", message=f"in the guest: {type(error).__name__}: {error}")
        state = msgspec.json.encode(self._lab.state)
        put(self._share / "answers" / name, msgspec.msgpack.encode(msgspec.structs.replace(answer, state=state)))

    def _answer(self, name: str, request: Request) -> Answer:
        arguments = request.arguments
        if request.state:
            with self._one:
                self._lab.state = msgspec.json.decode(request.state, type=State)
                self._lab.save()
        match request.kind, request.words:
            case "perform", (module, function):
                with self._one:
                    return _value(getattr(import_module(module), function)(self._lab, **arguments))
            case "run", (host, *argv):
                return _value(self._lab.run(host, *argv, **msgspec.to_builtins(msgspec.convert(arguments, Running))))
            case "stream", (host, *argv):
                return _value(self._stream(name, self._lab.argv(host, argv)))
            case "write", (file,):
                mode = msgspec.convert(arguments["mode"], int)
                return _value(str(self._lab.write(file, str(arguments["text"]), mode)))
        return Answer()

    def _stream(self, name: str, argv: list[str]) -> int:
        """Run a command; each piece that it prints is with the caller at once, which closing the file brings about."""
        out = self._share / "answers" / f"{name}.out"
        with subprocess.Popen(  # noqa: S603 - a list of words, no shell
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        ) as process:
            self._streams[name] = process.pid
            assert process.stdout  # noqa: S101 - it was asked for
            while piece := os.read(process.stdout.fileno(), 65536):
                with out.open("ab") as file:
                    file.write(piece)
        del self._streams[name]
        return process.returncode

    def _end(self, name: str) -> None:
        if process := self._streams.get(name):
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGTERM)


def _value(result: object) -> Answer:
    return Answer(value=msgspec.msgpack.encode(result))


def main(words: list[str]) -> None:
    """Make the lab that SHARE describes, and serve it."""
    share, name = Path(words[0]), words[1]
    state = msgspec.json.decode((share / "state.json").read_bytes(), type=State)
    lab = NearLab.create(name, state.scenario)
    lab.state = state
    lab.save()
    put(share / "answers" / READY, msgspec.msgpack.encode(Answer()))
    Server(share, lab).serve(sys.stdin)


if __name__ == "__main__":
    main(sys.argv[1:])
