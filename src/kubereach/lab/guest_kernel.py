"""A kernel with IPVS and IPIP for machines whose own has none: Debian's package `user-mode-linux`.

It is Debian's 6.1 kernel as a program (41 MB to download, 116 MB installed). Where it is not installed, it is unpacked
into the cache, for which nobody needs to be root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from kubereach.lab import cache
from kubereach.lab.scenario import Scenario

PACKAGE = "user-mode-linux"


class Kernel(Struct, frozen=True):
    """The kernel as a program, and the folder with `VERSION/modules.dep`."""

    program: Path
    modules: Path


class NoKernelError(Exception):
    """Why there is no such kernel, in one line."""


def reasons(scenario: Scenario) -> Iterator[str]:
    """Why a scenario cannot run in the machine's own kernel; nothing where it can."""
    if os.geteuid() != 0:
        yield "network namespaces take root"
    if scenario.proxy.mode == "ipvs" and not Path("/proc/net/ip_vs").exists() and not _loadable("ip_vs"):
        yield "the kernel has no IPVS"
    if scenario.pod_network.encapsulation == "ipip" and not _loadable("ipip"):
        yield "the kernel has no IPIP"


def _loadable(module: str) -> bool:
    """Whether a module is there, in the kernel or to be loaded (which the programs that need it bring about)."""
    if Path("/sys/module", module).exists():
        return True
    modprobe = shutil.which("modprobe", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    return modprobe is not None and _ok(modprobe, "-n", "-q", module)


def find() -> Kernel:
    """The installed kernel, else the one in the cache, which is filled when it is empty. Raises NoKernelError."""
    installed = _kernel(Path("/"))
    return installed or _kernel(_cached()) or _unpacked()


def _cached() -> Path:
    return cache.folder(PACKAGE)


def _kernel(root: Path) -> Kernel | None:
    program, modules = root / "usr/bin/linux.uml", root / "usr/lib/uml/modules"
    whole = program.is_file() and any(modules.glob("*/modules.dep"))
    return Kernel(program, modules) if whole else None


def _unpacked() -> Kernel:
    """The package of the machine's own Debian, unpacked into the cache."""
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise NoKernelError(f"{PACKAGE} is not installed, and without {tool} it cannot be unpacked")
    _cached().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=_cached().parent) as work:
        if not _ok("apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", PACKAGE, cwd=work):
            raise NoKernelError(f"{PACKAGE} is not installed, and apt cannot get it")
        package = next(Path(work).glob("*.deb"))
        if not _ok("dpkg-deb", "-x", str(package), f"{work}/root") or not _kernel(Path(work, "root")):
            raise NoKernelError(f"{package.name} cannot be unpacked into {_cached()}")
        shutil.rmtree(_cached(), ignore_errors=True)
        Path(work, "root").replace(_cached())
    kernel = _kernel(_cached())
    assert kernel  # noqa: S101 - it was whole a moment ago
    return kernel


def _ok(*argv: str, cwd: str | None = None) -> bool:
    done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
    return done.returncode == 0
