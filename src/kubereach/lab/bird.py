"""BIRD 2 on a host of the lab: `bird-HOST.conf`, `.ctl` (for `birdc -s`), `.pid`, `.log` stand in the lab's folder."""

from __future__ import annotations

import re
from pathlib import Path

from kubereach.lab.lab import CommandError, Lab, wait

ESTABLISHED = "Established"


def socket(lab: Lab, host: str) -> Path:
    """Where BIRD on a host is spoken to."""
    return lab.folder / f"bird-{host}.ctl"


def log(lab: Lab, host: str) -> Path:
    """The log that a configuration should name."""
    return lab.folder / f"bird-{host}.log"


def load(lab: Lab, host: str, config: str) -> None:
    """Run BIRD with `config`, or put it in place where BIRD runs: sessions that stay the same stay up.

    Raises CommandError.
    """
    name = f"bird-{host}.conf"
    file = lab.folder / name
    if not socket(lab, host).exists():
        lab.write(name, config)
        pid = lab.folder / f"bird-{host}.pid"
        lab.run(host, "bird", "-c", str(file), "-s", str(socket(lab, host)), "-P", str(pid))
    elif file.read_text() != config:
        lab.write(name, config)
        printed = birdc(lab, host, "configure")
        if "Reconfigur" not in printed:
            raise CommandError(f"BIRD on {host} took no new configuration: {printed.strip()}")


def stop(lab: Lab, host: str) -> None:
    """End BIRD; what it programmed into the kernel stays where its configuration says `persist`."""
    if socket(lab, host).exists():
        lab.run(host, "birdc", "-s", str(socket(lab, host)), "down", check=False)
        wait(lambda: not socket(lab, host).exists(), 5)


def birdc(lab: Lab, host: str, *words: str, check: bool = True) -> str:
    """What birdc prints for a command. Raises CommandError where BIRD does not run."""
    return lab.run(host, "birdc", "-s", str(socket(lab, host)), *words, check=check).out


def info(lab: Lab, host: str, protocol: str) -> str:
    """The Info column of `show protocols` for one protocol; "" where there is none."""
    printed = birdc(lab, host, "show", "protocols", protocol, check=False)
    found = re.search(rf"^{protocol} +\S+ +\S+ +\S+ +\S+ *(.*)", printed, re.MULTILINE)
    return found[1].strip() if found else ""
