"""The programs that people type on the lab's hosts, under their own names: `birdcl`, `vtysh`, `kubectl` find the lab's.

Each host has a folder `bin/HOST` in the lab, which stands first on the PATH of whoever runs commands there (`vantages`,
sshd). What a host of its kind would not have is not found there either, though the machine has it. The cluster's API
server runs in the switch's namespace, from where kubectl asks it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys

from kubereach.lab.kubernetes.api import PORT
from kubereach.lab.lab import CommandError, Lab, wait
from kubereach.lab.listening import listens
from kubereach.lab.wiring import SWITCH

CLUSTER = "cluster"  # the vantage of kubectl
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_MISSING = 'echo "{name}: command not found" >&2; exit 127'
_KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: lab, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
contexts: [{{name: lab, context: {{cluster: lab, user: ""}}}}]
current-context: lab
"""


def complete_path() -> None:
    """Add the folders of the system's programs to this program's PATH, which may be a user's."""
    known = os.environ.get("PATH", "").split(":")
    os.environ["PATH"] = ":".join([*filter(None, known), *(p for p in SYSTEM_PATH.split(":") if p not in known)])


def kubeconfig(port: int) -> str:
    """The configuration with which kubectl finds the lab's API server."""
    return _KUBECONFIG.format(port=port)


def path(lab: Lab, host: str) -> str:
    """The PATH of a host."""
    return f"{lab.folder}/bin/{host}:{SYSTEM_PATH}"


def environment(lab: Lab, host: str) -> dict[str, str]:
    """The environment of a command on a host, beside what it inherits."""
    found = {"PATH": path(lab, host), "LC_ALL": "C", "NSTAT_HISTORY": f"{lab.folder}/nstat.{host}"}
    if host == CLUSTER:
        # kubectl keeps what it discovered below HOME, by the server's address, which all labs share.
        found |= {"KUBECONFIG": f"{lab.folder}/kubeconfig", "HOME": f"{lab.folder}/home"}
    return found


def install(lab: Lab) -> None:
    """Write every host's programs, and kubectl's configuration."""
    for host in lab.scenario.hosts:
        for name, arguments in _programs(lab, host).items():
            found = shutil.which(name, path=SYSTEM_PATH)
            command = (
                f'exec {found} {arguments} "$@"' if found and arguments is not None else _MISSING.format(name=name)
            )
            lab.write(f"bin/{host}/{name}", f"#!/bin/sh\n{command}\n", 0o755)
    lab.write("kubeconfig", kubeconfig(PORT))
    (lab.folder / "home").mkdir(exist_ok=True)
    real = shutil.which("kubectl")
    if real is None:
        return
    python = shlex.join([sys.executable, "-m", "kubereach.lab.kubernetes.execute", lab.name])
    text = (
        "#!/bin/sh\n# `kubectl exec` takes a kubelet, which the lab does not have.\n"
        f'for word; do case $word in exec) exec {python} "$@" ;; --) break ;; esac; done\nexec {real} "$@"\n'
    )
    lab.write(f"bin/{CLUSTER}/kubectl", text, 0o755)


def _programs(lab: Lab, host: str) -> dict[str, str | None]:
    """The programs that differ from the machine's: the arguments that come first; None for one that is not there."""
    scenario, node = lab.scenario, host in lab.scenario.nodes
    folder = lab.folder / f"frr-{host}"
    bird, frr = f"-s {lab.folder}/bird-{host}.ctl", f"--config_dir {folder} --vty_socket {folder}"
    speaks = {"calico-bgp": "bird", "metallb-bgp": "frr"}.get(scenario.announcer.kind, "") if node else ""
    daemon = scenario.router.daemon if host == "router" else speaks
    return {
        "birdc": bird if daemon == "bird" else None,
        "birdcl": bird if daemon == "bird" else None,
        "vtysh": frr if daemon == "frr" else None,
        "ipvsadm": "" if node and scenario.proxy.mode == "ipvs" else None,
        # A network namespace shares the machine's kernel log and journal, which say nothing of a host of the lab.
        "dmesg": None,
        "journalctl": None,
    }


def start_api(lab: Lab) -> None:
    """Start the cluster's API server."""
    lab.start(SWITCH, sys.executable, "-m", "kubereach.lab.kubernetes.api", lab.name, log="kube-apiserver")


def await_api(lab: Lab) -> None:
    """Wait until the API server listens. Raises CommandError."""
    if not wait(lambda: listens(lab, SWITCH, PORT), 10):
        raise CommandError(f"the lab's API server does not start; see {lab.folder}/kube-apiserver.{SWITCH}.log")
