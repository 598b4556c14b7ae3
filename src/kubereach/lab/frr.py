"""FRR on a host of the lab: its daemons in a folder of their own, and never /etc/frr.

The folder `frr-HOST` of the lab holds the configuration, the sockets (for `vtysh --vty_socket`) and the daemons' logs.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from kubereach.lab.lab import CommandError, Lab, wait

DAEMONS = Path("/usr/lib/frr")
ALONE = 'mount --bind "$0" /var/tmp; exec "$@"'
ESTABLISHED = "Established"
USER = "frr"  # FRR's daemons give up root for it


def folder(lab: Lab, host: str) -> Path:
    """Where a host's FRR keeps its files."""
    return lab.folder / f"frr-{host}"


def start(
    lab: Lab, host: str, daemons: Sequence[str], config: str, options: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Run `daemons` (zebra first) with `config`, and with more `options` by daemon. Raises CommandError."""
    place = folder(lab, host)
    place.mkdir(exist_ok=True)
    shutil.chown(place, USER, USER)
    lab.write(f"{place.name}/vtysh.conf", f"hostname {host}\nservice integrated-vtysh-config\n")
    for daemon in daemons:
        run_daemon(lab, host, daemon, *(options or {}).get(daemon, ()))
    lab.write(f"{place.name}/frr.conf", config)
    lab.run(host, "vtysh", "--config_dir", str(place), "--vty_socket", str(place), "-b")


def run_daemon(lab: Lab, host: str, daemon: str, *more: str) -> None:
    """Run one daemon, unless it runs. Raises CommandError."""
    place = folder(lab, host)
    if running(lab, host, daemon):
        return
    empty = lab.write(f"{place.name}/{daemon}.conf", f"hostname {host}\n")
    options = ["-d", "-f", empty, "-i", place / f"{daemon}.pid", "-z", place / "zserv.api", "--vty_socket", place]
    options += ["--log", f"file:{place}/{daemon}.log"]
    options += ["--bfdctl", place / "bfdd.sock"] if daemon == "bfdd" else []
    # FRR keeps crash logs in /var/tmp, whatever its options say; the mount is seen by this process alone.
    lab.run(host, "sh", "-euc", ALONE, str(place), str(DAEMONS / daemon), *map(str, options), "-P", "0", *more)
    if not wait((place / f"{daemon}.vty").exists, 5):
        raise CommandError(f"{daemon} did not start on {host}; see {place}/{daemon}.log")


def running(lab: Lab, host: str, daemon: str) -> bool:
    """Whether a daemon runs on a host."""
    try:
        process = (folder(lab, host) / f"{daemon}.pid").read_text().strip()
    except OSError:
        return False
    return process.isdigit() and Path(f"/proc/{process}").exists()


def load(lab: Lab, host: str, config: str) -> bool:
    """Make `config` the running configuration by changing what differs; whether anything did. Raises CommandError."""
    place = folder(lab, host)
    file = place / "frr.conf"
    if file.exists() and file.read_text() == config:
        return False
    draft = lab.write(f"{place.name}/frr.conf.new", config)
    shutil.chown(draft, USER, USER)
    options = ["--reload", "--stdout", "--confdir", place, "--rundir", place, "--vty_socket", place, draft]
    # It starts a vtysh for every line that differs, which takes its time in a guest.
    lab.run(host, str(DAEMONS / "frr-reload.py"), *map(str, options), timeout=60)
    draft.replace(file)
    return True


def stop(lab: Lab, host: str) -> None:
    """End a host's FRR; zebra takes its routes out of the kernel."""
    place = folder(lab, host)
    for daemon in ("bfdd", "bgpd", "staticd", "zebra"):
        if running(lab, host, daemon):
            lab.run(host, "kill", (place / f"{daemon}.pid").read_text().strip(), check=False)
    wait(lambda: not any(running(lab, host, daemon) for daemon in ("bfdd", "bgpd", "staticd", "zebra")), 5)
    (place / "frr.conf").unlink(missing_ok=True)


def session_state(lab: Lab, host: str, peer: str) -> str:
    """The state of a BGP session; "" where there is none."""
    found = re.search(r"BGP state = (\w+)", vtysh(lab, host, f"show bgp neighbors {peer}", check=False))
    return found[1] if found else ""


def vtysh(lab: Lab, host: str, *commands: str, check: bool = True) -> str:
    """What vtysh on a host prints for `commands`, one after the other. Raises CommandError."""
    words = [word for command in commands for word in ("-c", command)]
    place = folder(lab, host)
    return lab.run(host, "vtysh", "--config_dir", str(place), "--vty_socket", str(place), *words, check=check).out
