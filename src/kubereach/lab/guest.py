"""A lab whose hosts are in a guest, because the machine's own kernel cannot do what the scenario asks for.

The guest is user-mode Linux: a kernel that is a process. It sees the machine's files, and what it changes is in memory;
the very same code runs in it (`guest_server`). Whoever holds the Lab need not know.

It ends with `down`, when its time is over, and, where it was made with `stays=False`, when the caller's program ends,
however it ends: the kernel and all that belongs to it live in a process namespace of their own.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, get_type_hints

import msgspec

import kubereach
from kubereach.errors import UsageError
from kubereach.lab import cache, guest_kernel
from kubereach.lab.guest_channel import READY, Answer, Channel, Request
from kubereach.lab.lab import CommandError, Lab, Result, State, wait
from kubereach.lab.scenario import Scenario

MEMORY = 1024  # MiB, taken as it is used
LIFETIME = 4 * 3600  # seconds
BOOTING = 60.0  # seconds; it takes 4 to 6 on an idle machine
WORKING = 300.0  # seconds that one operation may take
# What UML says when ptrace takes back fewer registers than the processor has (arch/um/os-Linux/skas/process.c, EFAULT).
UNSAVED = "ptrace set fp regs failed"

P = ParamSpec("P")
T = TypeVar("T")


def share_of(folder: Path) -> Path:
    """The folder that a lab shares with its guest; it is there when, and only when, the lab has one."""
    return folder / "guest"


class GuestLab(Lab):
    """A lab in a guest: what touches hosts or the lab's files is done there."""

    def __init__(self, name: str, state: State) -> None:
        super().__init__(name, state)
        self._channel = Channel(share_of(self.folder))

    @classmethod
    def boot(cls, name: str, scenario: Scenario, *, stays: bool) -> GuestLab:
        """An empty lab in a new guest. Raises UsageError when the name is taken or there is no kernel for it."""
        if scenario.proxy.mode == "nftables":
            raise UsageError("the lab's guest has no nftables", "run the lab as root, or choose the mode iptables")
        try:
            kernel = guest_kernel.find()
        except guest_kernel.NoKernelError as error:
            why = ", ".join(guest_kernel.reasons(scenario))
            raise UsageError(f"{why}, and {error}", f"apt-get install {guest_kernel.PACKAGE}") from error
        Lab.create(name, scenario)
        lab = cls(name, State(original=scenario, scenario=scenario))
        try:
            _boot(lab.folder, name, kernel, stays=stays)
        except BaseException:
            lab.down()
            raise
        return lab

    def perform(self, function: Callable[Concatenate[Lab, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See Lab.perform."""
        names = function.__code__.co_varnames[1:]
        arguments = dict(zip(names, args, strict=False)) | kwargs
        request = Request(kind="perform", words=(function.__module__, function.__qualname__), arguments=arguments)
        answer = self._ask(request, WORKING)
        result: T = msgspec.msgpack.decode(answer.value, type=get_type_hints(function)["return"])
        return result

    def run(
        self, host: str, *argv: str, timeout: float = 20, check: bool = True, stdin: str = "", merge: bool = True
    ) -> Result:
        """See Lab.run."""
        arguments = {"timeout": timeout, "check": check, "stdin": stdin, "merge": merge}
        answer = self._ask(Request(kind="run", words=(host, *argv), arguments=arguments), timeout + 30)
        return msgspec.msgpack.decode(answer.value, type=Result)

    def argv(self, host: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` on `host`, from this machine."""
        return [sys.executable, "-m", "kubereach.lab.guest_command", str(self._channel.share), host, *argv]

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        """See Lab.write: the file is in the guest."""
        answer = self._ask(Request(kind="write", words=(name,), arguments={"text": text, "mode": mode}), 30)
        return Path(msgspec.msgpack.decode(answer.value, type=str))

    def save(self) -> None:
        """Put the state on disk, here and in the guest."""
        super().save()
        self._ask(Request(kind="state", state=msgspec.json.encode(self.state)), 30)

    def _ask(self, request: Request, seconds: float) -> Answer:
        answer = self._channel.ask(request, seconds)
        self.state = msgspec.json.decode(answer.state, type=State)
        super().save()
        return answer


class UnfitProcessorError(CommandError):
    """The guest's kernel has less room for floating-point registers than the processor has of them."""


def _boot(folder: Path, name: str, kernel: guest_kernel.Kernel, *, stays: bool) -> None:
    """Start the guest, and wait until it listens. Raises CommandError, UnfitProcessorError among them."""
    share = share_of(folder)
    for part in ("requests", "answers", "modules/lib"):
        (share / part).mkdir(parents=True)
    shutil.copy(folder / "state.json", share)
    (share / "modules/lib/modules").symlink_to(kernel.modules)
    _script(share / "modprobe", f'exec modprobe -d {shlex.quote(str(share))}/modules "$@"\n')
    settings = {
        "SHARE": str(share),
        "MODULES": str(kernel.modules),
        "PYTHON": sys.executable,
        "NAME": name,
        "PYTHONPATH": os.pathsep.join([str(Path(kubereach.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
        "XDG_CACHE_HOME": str(cache.folder("").parent),
    }
    lines = [f"export {key}={shlex.quote(value)}\n" for key, value in settings.items()]
    _script(share / "init", "".join(lines) + (files("kubereach.lab") / "guest_init.sh").read_text())
    # Without root, the guest's root takes all files for somebody else's, and a program with the set-user-ID bit is then
    # not run by root: a copy has no such bit.
    shutil.copyfile(shutil.which("mount") or "/bin/mount", share / "mount")
    (share / "mount").chmod(0o755)
    os.mkfifo(share / "bell", 0o600)
    process = _start(share, _command(kernel, share, stays=stays))
    ready = share / "answers" / READY
    wait(lambda: ready.exists() or os.waitpid(process, os.WNOHANG) != (0, 0), BOOTING, 0.02)
    if not ready.exists():
        said = (share / "console.log").read_text(errors="replace").partition("Kernel panic")[0].strip()
        if UNSAVED in said:
            raise UnfitProcessorError(
                "user-mode Linux does not run on this machine: its kernel cannot save all registers of the processor "
                "(as on those with AMX); use another machine, or one whose own kernel has what the system needs"
            )
        raise CommandError(f"the lab's guest does not start: {said[-600:]}")


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


def _command(kernel: guest_kernel.Kernel, share: Path, *, stays: bool) -> list[str]:
    """The kernel's command line, inside what ends it for sure."""
    mine = [] if stays else ["setpriv", "--pdeathsig", "KILL"]
    apart = [
        "unshare",
        *([] if os.geteuid() == 0 else ["--user", "--map-current-user"]),
        "--pid",
        "--fork",
        "--kill-child=KILL",
    ]
    return [
        *mine,
        *(apart if _works(tuple(apart)) else []),
        *("timeout", "--foreground", "-s", "KILL", str(LIFETIME)),
        *(str(kernel.program), f"mem={MEMORY}M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"),
        *("con=null", "con0=fd:0,fd:1", f"init={share}/init"),
    ]


@lru_cache
def _works(prefix: tuple[str, ...]) -> bool:
    """Whether a process namespace can be had: not everywhere without root."""
    return subprocess.run([*prefix, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0  # noqa: S603


def _start(share: Path, words: list[str]) -> int:
    """Start the guest with the bell as its console's input: open for writing too, so that it never ends."""
    into = [
        (os.POSIX_SPAWN_OPEN, 0, str(share / "bell"), os.O_RDWR, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(share / "console.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp(words[0], words, os.environ, file_actions=into, setsid=True)


def _processes(share: Path) -> Iterator[int]:
    """The kernel's processes and those around it: each was told the guest's first program."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if f"init={share}/init".encode() in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)


def end(folder: Path) -> None:
    """End the guest of the lab in `folder`, if there is one: at once, since all that it has is in memory."""
    share = share_of(folder)
    if share.is_dir():
        wait(lambda: not list(map(_kill, _processes(share))), 5, 0.02)


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(process, 0)
