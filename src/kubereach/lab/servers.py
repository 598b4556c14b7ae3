"""What listens on the hosts besides the cluster's daemons: nginx in the pods, OpenSSH's sshd on the nodes.

Knobs: `pod/NAME/listen` is the address that the pod's server listens on (0.0.0.0), `pod/NAME/port` its port (the
pod's), `pod/NAME/status` an HTTP status that it answers every request with.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from kubereach.lab.lab import Lab, execute, wait
from kubereach.lab.listening import listens
from kubereach.lab.tools import path

BODY = 20_000  # bytes of the page at /large: several segments, so that path MTU matters


def serve(lab: Lab) -> None:
    """Start the servers of every pod and node, and wait until they listen. Raises CommandError."""
    key = lab.folder / "ssh_host_key"
    if not key.exists():
        # The lab's one user and its hosts have the same key: making one takes longer than anything else here.
        execute(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(lab.folder / "ssh_key")])
        shutil.copy(lab.folder / "ssh_key", key)
    for node in (*lab.scenario.nodes, "router"):
        _sshd(lab, node)
    for pod in lab.scenario.pods:
        serve_pod(lab, pod)


def serve_pod(lab: Lab, pod: str) -> None:
    """Start the pod's server as its knobs say, in place of one that runs."""
    stop_pod(lab, pod)
    port = int(lab.knob(f"pod/{pod}/port", str(lab.scenario.pods[pod].port)))
    folder = f"nginx-{pod}"
    lab.write(f"{folder}/www/index.html", f"hello from {pod}\n")
    lab.write(f"{folder}/www/large", "x" * BODY)
    config = lab.write(f"{folder}/nginx.conf", _nginx(lab, pod, port))
    lab.run(pod, "nginx", "-c", str(config), "-e", str(config.parent / "error.log"))
    wait(lambda: listens(lab, pod, port), 3)


def stop_pod(lab: Lab, pod: str) -> None:
    """End the pod's server."""
    pid = lab.folder / f"nginx-{pod}" / "nginx.pid"
    if pid.exists():
        lab.run(pod, "kill", pid.read_text().strip(), check=False)
        wait(lambda: not pid.exists(), 3)


def _nginx(lab: Lab, pod: str, port: int) -> str:
    listen = lab.knob(f"pod/{pod}/listen", "0.0.0.0")  # noqa: S104 - inside a pod's own namespace
    folder = lab.folder / f"nginx-{pod}"
    status = lab.knob(f"pod/{pod}/status")
    answer = f"return {status};" if status else f"root {folder}/www;"
    temporary = "".join(
        f"  {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"pid {folder}/nginx.pid;\nuser root;\nworker_processes 1;\nevents {{ worker_connections 64; }}\n"
        f"http {{\n  access_log {folder}/access.log;\n{temporary}"
        f"  server {{ listen {listen}:{port}; location / {{ {answer} }} }}\n}}\n"
    )


def _sshd(lab: Lab, node: str) -> None:
    """A real sshd that takes the lab's own key alone."""
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where Debian's sshd separates its privileges
    config = lab.write(
        f"sshd-{node}.conf",
        f"HostKey {lab.folder}/ssh_host_key\nPidFile {lab.folder}/sshd-{node}.pid\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {lab.folder}/ssh_key.pub\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        f"SetEnv PATH={path(lab, node)}\n",
    )
    lab.run(node, "/usr/sbin/sshd", "-f", str(config))
