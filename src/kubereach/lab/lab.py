"""A lab that is up: its hosts, what runs on them, and its state on disk, so that one command can follow another.

A host is a network namespace `kr-LAB-HOST`; all files stand in /run/kubereach-lab/LAB. Nothing else of the machine is
touched: links are made inside the namespaces, and whatever runs in a namespace ends with it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import msgspec
from msgspec import Struct

from kubereach.errors import UsageError
from kubereach.lab import cache
from kubereach.lab.scenario import Scenario

ROOT = Path("/run/kubereach-lab") if os.geteuid() == 0 else cache.folder("labs")
DEFAULT = "lab"

P = ParamSpec("P")
T = TypeVar("T")


class Result(Struct, frozen=True):
    """What a command printed (standard error behind standard output) and its exit status; 124 when time ran out."""

    out: str
    status: int

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.status == 0


class CommandError(Exception):
    """A command of the lab itself failed: a defect of the lab or of the machine, not a finding."""


class State(Struct, kw_only=True):
    """What one command leaves for the next.

    `scenario` is the system as it is meant to be now, `original` as it came up.

    `knobs` are settings that no Kubernetes object holds, by a path such as `router/peer/NODE/asn`; the module that
    renders a configuration documents the ones that it reads. `faults` are those enacted now, as CODE@SUBJECT.
    """

    original: Scenario
    scenario: Scenario
    knobs: dict[str, str] = {}
    faults: tuple[str, ...] = ()


class Lab:
    """One lab. Every change of `state` is on disk before the next command runs."""

    def __init__(self, name: str, state: State) -> None:
        self.name = name
        self.state = state
        self.folder = ROOT / name

    @classmethod
    def create(cls, name: str, scenario: Scenario) -> Lab:
        """An empty lab. Raises UsageError when one of that name is up or the name cannot be one."""
        if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
            raise UsageError(f"{name!r} is no name for a lab", "use up to 12 small letters and digits")
        lab = cls(name, State(original=scenario, scenario=scenario))
        ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            lab.folder.mkdir(mode=0o755)
        except FileExistsError as error:
            hint = f"use it, take it down with `kubereach lab down --name {name}`, or choose another --name"
            raise UsageError(f"the lab {name!r} is up already", hint) from error
        lab.save()
        return lab

    @classmethod
    def attach(cls, name: str) -> Lab:
        """The lab of that name. Raises UsageError when there is none."""
        try:
            state = msgspec.json.decode((ROOT / name / "state.json").read_bytes(), type=State)
        except OSError as error:
            raise UsageError(f"no lab {name!r} is up", "start one: `kubereach lab up founding-case`") from error
        return _class(name)(name, state)

    @property
    def scenario(self) -> Scenario:
        """The system as it is meant to be now."""
        return self.state.scenario

    def save(self) -> None:
        """Put the state on disk, whole or not at all."""
        draft = self.folder / "state.json.new"
        draft.write_bytes(msgspec.json.encode(self.state))
        draft.replace(self.folder / "state.json")

    def knob(self, path: str, default: str = "") -> str:
        """A setting beside the scenario."""
        return self.state.knobs.get(path, default)

    def change(self, scenario: Scenario) -> None:
        """Mean another system from now on; `system.sync` makes it so."""
        self.state.scenario = scenario
        self.save()

    def set_knobs(self, knobs: dict[str, str | None]) -> None:
        """Set settings; None takes one away."""
        for path, value in knobs.items():
            if value is None:
                self.state.knobs.pop(path, None)
            else:
                self.state.knobs[path] = value
        self.save()

    def perform(self, function: Callable[Concatenate[Lab, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work that must be done where the hosts are: here. See lab.operation."""
        return function(self, *args, **kwargs)

    def namespace(self, host: str) -> str:
        """The network namespace of a host (or of the `switch`)."""
        return f"kr-{self.name}-{host}"

    def argv(self, host: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` on `host`."""
        return ["ip", "netns", "exec", self.namespace(host), *argv]

    def run(
        self, host: str, *argv: str, timeout: float = 20, check: bool = True, stdin: str = "", merge: bool = True
    ) -> Result:
        """Run a command on a host to its end. Raises CommandError when it fails and `check` is set.

        `timeout` is in seconds; without `merge`, standard error is dropped.
        """
        return execute(self.argv(host, argv), timeout=timeout, check=check, stdin=stdin, merge=merge)

    def script(self, host: str, text: str, *, timeout: float = 20, check: bool = True) -> Result:
        """Run a shell script on a host; it stops at the first command that fails."""
        return self.run(host, "sh", "-eu", timeout=timeout, check=check, stdin=text)

    def start(self, host: str, *argv: str, log: str = "") -> int:
        """Start a process on a host that stays; its process ID. What it prints goes to `log` in the lab's folder."""
        path = self.folder / f"{log or argv[0].rsplit('/', 1)[-1]}.{host}.log"
        words = self.argv(host, argv)
        into = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        return os.posix_spawnp(words[0], words, os.environ, file_actions=into, setsid=True)

    def end(self, process: int) -> None:
        """End a process that `start` started in this very program, and wait for it."""
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(process, signal.SIGTERM)
            os.waitpid(process, 0)

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        """A file in the lab's folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def sysctl(self, host: str, *settings: str) -> None:
        """Set kernel settings (`net.ipv4.ip_forward=1`) on a host."""
        self.run(host, "sysctl", "-qw", *settings)

    def interface(self, host: str, segment: str = "") -> str:
        """The name of a host's interface: the router has one a segment, in the segments' order, all others eth0."""
        return f"eth{list(self.scenario.segments).index(segment)}" if host == "router" and segment else "eth0"

    def down(self) -> None:
        """End all that runs in the lab, and remove it. Never fails on what is gone already."""
        down(self.name)


def execute(
    argv: Sequence[str], *, timeout: float = 20, check: bool = True, stdin: str = "", merge: bool = True
) -> Result:
    """Run a command on the machine itself; see Lab.run."""
    with subprocess.Popen(  # noqa: S603 - a list of words, no shell
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            out, _ = process.communicate(stdin.encode(), timeout=timeout)
            status = process.returncode
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            out, _ = process.communicate()
            status = 124
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    result = Result(out.decode("utf-8", "replace"), status)
    if check and not result.ok:
        raise CommandError(f"{' '.join(argv)} ended with {status}: {result.out.strip()[-600:]}")
    return result


def _class(name: str) -> type[Lab]:
    """What the lab of that name is: one with a guest is spoken to through it."""
    from kubereach.lab import guest

    return guest.GuestLab if guest.share_of(ROOT / name).is_dir() else Lab


def names() -> tuple[str, ...]:
    """The labs that are up."""
    return tuple(sorted(path.parent.name for path in ROOT.glob("*/state.json")))


def _namespaces(name: str) -> list[str]:
    listed = execute(["ip", "netns", "list"], check=False).out.splitlines()
    return [line.split()[0] for line in listed if line.startswith(f"kr-{name}-")]


def _processes(namespaces: Sequence[str]) -> Iterator[int]:
    for namespace in namespaces:
        for word in execute(["ip", "netns", "pids", namespace], check=False).out.split():
            if word.isdigit():
                yield int(word)


def down(name: str) -> None:
    """Take down the lab `name`, whatever is left of it. Processes get a second to end by themselves."""
    from kubereach.lab import guest

    guest.end(ROOT / name)
    namespaces = _namespaces(name)
    for which in (signal.SIGTERM, signal.SIGKILL):
        for process in _processes(namespaces):
            with suppress(ProcessLookupError):
                os.kill(process, which)
        wait(lambda: not any(_processes(namespaces)), 1.0)
    for namespace in namespaces:
        execute(["ip", "netns", "del", namespace], check=False)
    shutil.rmtree(ROOT / name, ignore_errors=True)


@contextmanager
def taken_down(lab: Lab) -> Iterator[Lab]:
    """The lab, which is gone afterwards, whatever happens."""
    try:
        yield lab
    finally:
        lab.down()


def wait(condition: Callable[[], bool], seconds: float, step: float = 0.1) -> bool:
    """Whether `condition` came true within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True
