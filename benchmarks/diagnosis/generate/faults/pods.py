"""Faults of the pods and of their service."""

from __future__ import annotations

from benchmarks.diagnosis.generate.faults.registry import fault
from benchmarks.diagnosis.generate.flow import DATA, POD, POD_IN
from benchmarks.diagnosis.generate.site import Site


def _without_endpoints(site: Site) -> None:
    """Announcers that ask for endpoints withdraw the address."""
    if site.stack == "metallb-l2":
        site.leader = ""


@fault("no-ready-endpoints", "pod-no-ready-endpoints")
def not_ready(site: Site) -> None:
    why = site.rng.choice(
        (
            ("CrashLoopBackOff", "Back-off restarting failed container"),
            ("Running", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
            ("ImagePullBackOff", "Failed to pull image"),
            ("Pending", "0/3 nodes are available: 3 Insufficient memory."),
        )
    )
    if site.rng.random() < 0.2:
        site.pods = []
    for pod in site.pods:
        pod.ready, pod.status, pod.why = False, why[0], why[1]
    _without_endpoints(site)


@fault("selector-mismatch", "pod-selector-mismatch")
def selector(site: Site) -> None:
    """The service asks for labels that the pods do not have."""
    key, value = site.service.selector.split("=")
    site.service.selector = site.rng.choice((f"{key}={value}-v2", f"name={value}", f"{key}={value},tier=frontend"))
    for pod in site.pods:
        pod.ready = False
    site.tells.add("selector")
    _without_endpoints(site)


@fault("port-mismatch", "pod-port-mismatch")
def port(site: Site) -> None:
    """The target port is none that the container listens on."""
    site.tells.add("target-port")
    site.lose(POD, "refused", inside=True)


@fault("pod-not-listening", "pod-not-listening")
def not_listening(site: Site) -> None:
    for pod in site.pods:
        pod.listens = "127.0.0.1"
    site.lose(POD, "refused", inside=True)


@fault("network-policy-drop", "policy-networkpolicy")
def policy(site: Site) -> None:
    """A policy that admits a namespace alone, or another port."""
    site.policies.append(site.rng.choice(("namespace", "deny", "port")))
    site.lose(POD_IN, "silent", inside=True)


@fault("application-error", "app-layer-error")
def application(site: Site) -> None:
    site.http = site.rng.choice(
        ("404 Not Found", "502 Bad Gateway", "503 Service Unavailable", "500 Internal Server Error")
    )
    site.lose(DATA, "http", inside=True)
