"""A real API server of Kubernetes 1.20.2 with Debian's etcd, which holds the scenario's objects.

Both run in the switch's namespace; a node gets to them at 127.0.0.1:16443 by way of a socket in the lab's folder, so
that no further link disturbs the topology. The programs are those of `lab.kubernetes_build`.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Network
from pathlib import Path

from kubereach.errors import UsageError
from kubereach.lab import kubernetes_build
from kubereach.lab.kubernetes.daemons import cluster_of
from kubereach.lab.kubernetes.objects import Object, core
from kubereach.lab.lab import CommandError, Lab, wait
from kubereach.lab.listening import listens
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import SWITCH

ETCD, SECURE, AT_NODE = 2379, 6443, 16443  # ports
STARTING = 60.0  # seconds; about 4 on an idle machine
SERVED = {"Namespace": "namespaces", "Node": "nodes", "Service": "services", "Endpoints": "endpoints"}
_READ_ONLY = ("uid", "resourceVersion", "creationTimestamp")

_KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: lab, cluster: {{server: "https://127.0.0.1:{port}", insecure-skip-tls-verify: true}}}}]
users: [{{name: proxy, user: {{token: lab}}}}]
contexts: [{{name: lab, context: {{cluster: lab, user: proxy}}}}]
current-context: lab
"""


def missing() -> str:
    """Why it cannot run here; "" where it can."""
    unbuilt = [name for name in kubernetes_build.PROGRAMS if not kubernetes_build.program(name)]
    if unbuilt:
        return f"not built: {', '.join(unbuilt)} {kubernetes_build.VERSION} (make real-kube-proxy)"
    tools = [tool for tool in ("etcd", "socat", "ssh-keygen") if not shutil.which(tool)]
    return f"not installed: {', '.join(tools)}" if tools else ""


def start(lab: Lab) -> None:
    """The API server runs, and holds the scenario's objects. Raises UsageError where it cannot, CommandError."""
    if why := missing():
        raise UsageError(f"the real kube-proxy cannot run: {why}", "leave `real` out of the scenario's proxy")
    if not (_socket(lab)).exists():
        _start(lab)
    publish(lab)


def _start(lab: Lab) -> None:
    place = lab.folder / "control-plane"
    key = place / "service-accounts.pem"
    lab.write("control-plane/tokens.csv", "lab,system:kube-proxy,kube-proxy\n", 0o600)
    lab.run(SWITCH, "ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", str(key))
    client, peer = f"http://127.0.0.1:{ETCD}", f"http://127.0.0.1:{ETCD + 1}"
    etcd = {
        "data-dir": place / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "unsafe-no-fsync": "true",
    }
    server = {
        "etcd-servers": client,
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "secure-port": SECURE,
        "cert-dir": place,  # where it writes a certificate of its own
        "token-auth-file": place / "tokens.csv",
        "authorization-mode": "AlwaysAllow",
        "service-account-key-file": key,
        "service-account-signing-key-file": key,
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-cluster-ip-range": _cluster_range(lab.scenario),
        "disable-admission-plugins": "ServiceAccount",
        "endpoint-reconciler-type": "none",
        "allow-privileged": "true",
    }
    lab.start(SWITCH, "etcd", *_flags(etcd))
    lab.start(SWITCH, str(kubernetes_build.program("kube-apiserver")), *_flags(server), log="real-kube-apiserver")
    if not wait(lambda: listens(lab, SWITCH, SECURE), STARTING):
        raise CommandError(f"the API server does not start; see {lab.folder}/real-kube-apiserver.{SWITCH}.log")
    lab.start(SWITCH, "socat", f"UNIX-LISTEN:{_socket(lab)},fork", f"TCP:127.0.0.1:{SECURE}", log="real-api")
    for node in lab.scenario.nodes:
        listen = f"TCP-LISTEN:{AT_NODE},bind=127.0.0.1,fork,reuseaddr"
        lab.start(node, "socat", listen, f"UNIX-CONNECT:{_socket(lab)}", log="real-api")
    lab.write("control-plane/kubeconfig", _KUBECONFIG.format(port=AT_NODE))
    if not wait(lambda: _ready(lab), STARTING, 0.3):
        raise CommandError(f"the API server is not ready; see {lab.folder}/real-kube-apiserver.{SWITCH}.log")


def _flags(options: dict[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def _cluster_range(scenario: Scenario) -> IPv4Network:
    """The largest range that an API server takes, around the first service."""
    return IPv4Network((next(iter(scenario.services.values())).cluster_ip, 12), strict=False)


def kubeconfig(lab: Lab) -> Path:
    """What a node's kube-proxy finds the API server by."""
    return lab.folder / "control-plane/kubeconfig"


def _socket(lab: Lab) -> Path:
    return lab.folder / "control-plane/api.sock"


def publish(lab: Lab) -> None:
    """Make the API's objects those of the scenario. Raises CommandError where it refuses one."""
    for entry in core(cluster_of(lab)):
        meta, kind = entry["metadata"], entry["kind"]
        if kind not in SERVED or (kind, meta["name"]) == ("Service", "kubernetes"):
            continue  # its own service it makes itself
        space = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
        path = f"/api/v1{space}/{SERVED[kind]}"
        _put(lab, path, {**entry, "metadata": {k: v for k, v in meta.items() if k not in _READ_ONLY}})


def _put(lab: Lab, path: str, entry: Object) -> None:
    """Create or replace an object, and its status, which the API takes apart from it."""
    own = f"{path}/{entry['metadata']['name']}"
    status, there = _ask(lab, "GET", own)
    if status == 200:
        entry["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
        status, answer = _ask(lab, "PUT", own, entry)
    else:
        status, answer = _ask(lab, "POST", path, entry)
    if status < 300 and entry["kind"] in {"Node", "Service"}:
        status, answer = _ask(lab, "PATCH", f"{own}/status", {"status": entry["status"]})
    if status >= 300:
        raise CommandError(f"the API server refuses {own}: {answer.get('message', status)}")


def _ready(lab: Lab) -> bool:
    try:
        return _ask(lab, "GET", "/readyz?verbose=false")[0] == 200
    except (OSError, HTTPException):
        return False


class _Connection(HTTPConnection):
    """TLS through the lab's socket; the server's certificate is its own."""

    def __init__(self, path: Path) -> None:
        super().__init__("127.0.0.1", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
        self.sock = ssl._create_unverified_context().wrap_socket(self.sock)  # noqa: S323


def _ask(lab: Lab, method: str, path: str, body: Object | None = None) -> tuple[int, Object]:
    """A request to the API; the status and the answer's object."""
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    connection = _Connection(_socket(lab))
    try:
        headers = {"Authorization": "Bearer lab", "Content-Type": kind, "Accept": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    try:
        answer = json.loads(data)
    except ValueError:
        answer = {}
    return response.status, answer if isinstance(answer, dict) else {}
