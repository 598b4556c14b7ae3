"""A small read-only Kubernetes API server: what the real kubectl needs for get, describe, logs and version.

It runs in the switch's namespace, which reaches nothing but itself, and serves the lab as it is at each request:
`python -m kubereach.lab.kubernetes.api LAB`. Whatever would write is refused. `kubectl exec` has `execute` instead.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubereach.errors import UsageError
from kubereach.lab.kubernetes import agents, tables
from kubereach.lab.kubernetes.daemons import as_calico_node, cluster_of, logs
from kubereach.lab.kubernetes.objects import Cluster, Object
from kubereach.lab.kubernetes.resources import Resource, group_list, resource_list, served
from kubereach.lab.lab import Lab

PORT = 8080
_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<part>[^/]+))?)?"
)


class Refused(Exception):  # noqa: N818 - an answer of the API, not a defect
    """An answer that is a Status: its HTTP code, reason and message."""

    def __init__(self, code: int, reason: str, message: str, resource: Resource | None = None, name: str = "") -> None:
        super().__init__(message)
        details = {"name": name, "group": resource.group, "kind": resource.plural} if resource else {}
        self.code = code
        self.status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": details,
            "code": code,
        }


def answer(cluster: Cluster, path: str, query: dict[str, str], *, as_table: bool, now: datetime) -> Object:
    """The answer to a GET of `path`. Raises Refused."""
    kinds = served(cluster.scenario.announcer.kind)
    if found := _discovery(cluster, path, kinds):
        return found
    match = _PATH.fullmatch(path)
    if match is None:
        raise Refused(404, "NotFound", "the server could not find the requested resource")
    version = f"{match['group']}/{match['version']}" if match["group"] else match["version"]
    plural, namespace, name = match["plural"], match["namespace"], match["name"]
    if plural == "namespaces" or (namespace and plural is None):
        name, namespace = name or namespace, None
    resource = next((r for r in kinds if (r.version, r.plural) == (version, plural)), None)
    if resource is None:
        raise Refused(404, "NotFound", "the server could not find the requested resource")
    chosen = [
        entry
        for entry in agents.everything(cluster)
        if (entry["apiVersion"], entry["kind"]) == (version, resource.kind)
        and namespace in (None, entry["metadata"].get("namespace"))
        and name in (None, entry["metadata"]["name"])
        and _selected(entry["metadata"].get("labels", {}), query.get("labelSelector", ""))
        and _fields_match(entry, query.get("fieldSelector", ""))
    ]
    if name and not chosen:
        raise Refused(404, "NotFound", f'{resource.title} "{name}" not found', resource, name)
    chosen.sort(key=lambda entry: (entry["metadata"].get("namespace", ""), entry["metadata"]["name"]))
    if as_table:
        return tables.table(resource.kind, chosen, now)
    if name:
        return chosen[0]
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": version,
        "metadata": {"resourceVersion": "1000"},
        "items": chosen,
    }


def _discovery(cluster: Cluster, path: str, kinds: tuple[Resource, ...]) -> Object:
    minor = cluster.scenario.proxy.minor
    if path == "/version":
        return {"major": "1", "minor": str(minor), "gitVersion": cluster.version, "platform": "linux/amd64"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        return group_list(kinds)
    version = re.fullmatch(r"/api/(v1)|/apis/([^/]+/[^/]+)", path)
    wanted = (version[1] or version[2]) if version else ""
    return resource_list(wanted, kinds) if any(r.version == wanted for r in kinds) else {}


def _selected(labels: dict[str, str], selector: str) -> bool:
    """Whether a label selector (Kubernetes' own syntax) takes these labels."""
    for term in re.split(r",(?![^(]*\))", selector):
        term = term.strip()
        if not term:
            continue
        if among := re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", term):
            values = [value.strip() for value in among[3].split(",")]
            holds = (labels.get(among[1]) in values) == (among[2] == "in")
        elif equal := re.fullmatch(r"([^=!\s]+)\s*(==|=|!=)\s*(\S*)", term):
            holds = (labels.get(equal[1]) == equal[3]) == (equal[2] != "!=")
        else:
            holds = (term.lstrip("!") in labels) != term.startswith("!")
        if not holds:
            return False
    return True


def _fields_match(entry: Object, selector: str) -> bool:
    for term in filter(None, selector.split(",")):
        found = re.fullmatch(r"([\w.]+)(==|=|!=)(.*)", term)
        if found is None:
            raise Refused(400, "BadRequest", f"unable to parse field selector {term!r}")
        value: Any = entry
        for word in found[1].split("."):
            value = value.get(word, "") if isinstance(value, dict) else ""
        if (str(value) == found[3]) != (found[2] != "!="):
            return False
    return True


class _Handler(BaseHTTPRequestHandler):
    """One request to the lab that the server attaches to."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        if url.path in {"/livez", "/readyz", "/healthz"}:
            self._send(200, b"ok", "text/plain")
            return
        try:
            lab = self.server.attach()
            if query.get("watch") in {"1", "true"}:
                raise Refused(405, "MethodNotAllowed", "the lab's API does not watch")
            if log := re.fullmatch(r"/api/v1/namespaces/([^/]+)/pods/([^/]+)/log", url.path):
                self._send(200, printed(lab, log[1], log[2], query).encode(), "text/plain")
                return
            probed = re.search(r"/(?:pods|daemonsets|events)\b", url.path) is not None
            found = answer(
                cluster_of(lab, probed=probed),
                url.path,
                query,
                as_table="as=Table" in self.headers.get("Accept", ""),
                now=datetime.now(UTC),
            )
            self._json(200, found)
        except Refused as refused:
            self._json(refused.code, refused.status)
        except UsageError as error:  # the lab is being taken down
            self._json(503, Refused(503, "ServiceUnavailable", error.message).status)

    def _refuse(self) -> None:
        """Whatever would write: the objects follow the lab's scenario and nothing else."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._json(405, Refused(405, "MethodNotAllowed", "the lab's API is read-only").status)

    do_POST = do_PUT = do_PATCH = do_DELETE = _refuse  # noqa: N815 - http.server's names

    def _json(self, code: int, answered: Object) -> None:
        self._send(code, json.dumps(answered).encode(), "application/json")

    def _send(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *words: object) -> None:  # noqa: A002 - http.server's name
        """Nothing: nobody reads a log of requests here."""


def printed(lab: Lab, namespace: str, name: str, query: dict[str, str]) -> str:
    """What the pod's daemon has printed: its log in the lab. Raises Refused for a pod that is not there."""
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    entry = answer(cluster_of(lab), path, {}, as_table=False, now=datetime.now(UTC))
    daemon = entry["metadata"].get("ownerReferences", [{}])[0].get("name", "")
    lines: list[str] = []
    for file in logs(lab, daemon, entry["spec"]["nodeName"], name, query.get("container", "")):
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        lines += as_calico_node(text) if daemon == "calico-node" else text.splitlines()
    tail = query.get("tailLines", "")
    kept = lines[-int(tail) or len(lines) :] if tail.isdigit() else lines
    return "".join(f"{line}\n" for line in kept)


class Server(ThreadingHTTPServer):
    """The API on a port of the loopback address; `attach` gives the lab as it is at each request."""

    daemon_threads = True

    def __init__(self, port: int, attach: Callable[[], Lab]) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.attach = attach


if __name__ == "__main__":
    Server(PORT, lambda: Lab.attach(sys.argv[1])).serve_forever()
