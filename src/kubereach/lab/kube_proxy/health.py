"""What kube-proxy answers at the health check node ports of services with policy Local.

200 where the node has a ready endpoint and 503 where it has none (kubernetes pkg/proxy/healthcheck/service_health.go).
socat listens, on every address of the node as kube-proxy does, and a shell hands out the answer that `sync` wrote.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from kubereach.lab.kube_proxy.service_port import ServicePort, service_ports
from kubereach.lab.lab import Lab

PROXY_HEALTH, WEIGHT = 27, 28  # the minor versions that brought `serviceProxyHealthy` and the weight's header
_READ_THEN_ANSWER = 'while read -r line && [ "${#line}" -gt 1 ]; do :; done; exec cat '


def answer(port: ServicePort, minor: int) -> str:
    """The HTTP response of a node for a service."""
    namespace, _, name = port.name.partition(":")[0].partition("/")
    count = len(port.local)
    healthy = ',\n\t"serviceProxyHealthy": true' if minor >= PROXY_HEALTH else ""
    body = f'{{\n\t"service": {{\n\t\t"namespace": "{namespace}",\n\t\t"name": "{name}"\n\t}},\n'
    body += f'\t"localEndpoints": {count}{healthy}\n}}'
    headers = ["HTTP/1.1 " + ("200 OK" if count else "503 Service Unavailable")]
    headers += ["Content-Type: application/json", "X-Content-Type-Options: nosniff"]
    headers += [f"X-Load-Balancing-Endpoint-Weight: {count}"] if minor >= WEIGHT else []
    return "\r\n".join([*headers, f"Content-Length: {len(body)}", "Connection: close", "", body])


def sync(lab: Lab, node: str) -> None:
    """Listen at the ports of the services with policy Local, and at no others."""
    wanted = {port.service.health_port: port for port in service_ports(lab.scenario, node) if port.only_local}
    for number in _running(lab, node):
        if number not in wanted:
            _stop(lab, node, number)
    for number, port in wanted.items():
        text = lab.write(f"health/{node}/{number}.http", answer(port, lab.scenario.proxy.minor))
        if number not in _running(lab, node):
            script = lab.write(f"health/{node}/{number}.sh", f"{_READ_THEN_ANSWER}{text}\n")
            listen = f"TCP4-LISTEN:{number},fork,reuseaddr"
            pid = lab.start(node, "socat", listen, f"EXEC:sh {script}", log="kube-proxy-health")
            lab.write(f"health/{node}/{number}.pid", str(pid))


def clear(lab: Lab, node: str) -> None:
    """Listen no more."""
    for number in _running(lab, node):
        _stop(lab, node, number)


def _running(lab: Lab, node: str) -> list[int]:
    return sorted(int(path.stem) for path in (lab.folder / "health" / node).glob("*.pid"))


def _stop(lab: Lab, node: str, number: int) -> None:
    path: Path = lab.folder / "health" / node / f"{number}.pid"
    with suppress(FileNotFoundError):
        lab.run(node, "kill", path.read_text(), check=False)
        path.unlink()
