"""The rules of the real kube-proxy 1.20.2 against a real API server, held against those that the lab writes itself."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from kubereach.lab import scenario, wiring
from kubereach.lab.kube_proxy import iptables, real
from kubereach.lab.kubernetes import control_plane
from kubereach.lab.lab import Lab, taken_down
from kubereach.lab.scenario import Proxy, Scenario
from tests.lab.kube_proxy import listed
from tests.lab.kube_proxy.test_rules import saved

pytestmark = [
    pytest.mark.real_kubernetes,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(bool(why := control_plane.missing()), reason=why),
    pytest.mark.skipif(not shutil.which("iptables-save"), reason="not installed: iptables"),
]

NODES = ("wk-1", "wk-2")  # with and without an endpoint
# Kubelet's, which does not run here; kube-proxy's canary; the API server's own service, which has no endpoint here.
NOT_COMPARED = re.compile(r"KUBE-FIREWALL|KUBE-MARK-DROP$|KUBE-MARK-DROP: |-CANARY$|default/kubernetes:https")


def variants() -> dict[str, Scenario]:
    system = scenario.load("calico-local")
    system = replace(system, proxy=Proxy(mode="iptables", minor=20, real=True))
    shop = system.service
    cluster, ranges = replace(shop, policy="Cluster"), ("10.40.7.0/24", "10.20.30.77/32")
    gone = {name: replace(pod, ready=False) for name, pod in system.pods.items()}

    def of(service: scenario.Service) -> Scenario:
        return replace(system, services={system.target: service})

    return {
        "local": system,
        "cluster": of(cluster),
        "local, source ranges": of(replace(shop, source_ranges=ranges)),
        "cluster, source ranges": of(replace(cluster, source_ranges=ranges)),
        "no endpoint": replace(system, pods=gone),
        "cluster, no endpoint": replace(of(cluster), pods=gone),
    }


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    name = "rkp" + os.environ.get("PYTEST_XDIST_WORKER", "")
    with taken_down(Lab.create(name, variants()["local"])) as made:
        made.write("kubeconfig", "")  # its time is when the cluster came up
        wiring.wire(made)
        yield made


@pytest.mark.parametrize("variant", variants())
def test_rules(lab: Lab, variant: str) -> None:
    lab.change(variants()[variant])
    for node in NODES:
        real.sync(lab, node)
        seen = listed.iptables(lab.run(node, "iptables-save", merge=False).out)
        written = listed.iptables(saved(iptables.tables(lab.scenario, node)))
        assert compared(written) == compared(seen)
    assert any("KUBE-SERVICES: " in fact and "default/shop" in fact for fact in compared(seen))


def compared(facts: list[str]) -> list[str]:
    return [fact for fact in facts if not NOT_COMPARED.search(fact)]
