"""kube-proxy's rules in a real kernel: who is answered, who is refused and whose packets vanish, by mode and policy.

Expected is what kubernetes pkg/proxy/iptables and nftables, v1.36, say of each destination and source.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from kubereach.lab import felix, scenario, servers, wiring, xtables
from kubereach.lab.kube_proxy import iptables, ipvs, nftables
from kubereach.lab.lab import CommandError, Lab, taken_down, wait
from kubereach.lab.scenario import Proxy, ProxyMode, Scenario
from tests.lab.kube_proxy import listed
from tests.lab.kube_proxy.test_rules import saved

MISSING = [
    tool for tool in ("ip", "nft", "iptables", "ipset", "nginx", "curl", "socat", "sshd") if not shutil.which(tool)
]
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

CLIENTS = ("client", "neighbour")
WITH, WITHOUT = "wk-1", "wk-2"  # the nodes with and without an endpoint
ANSWERED, REFUSED, SILENT = 0, 7, 28  # curl's exit status
MODES = {"iptables": iptables, "nftables": nftables}
LISTINGS = ("iptables-save", "iptables-legacy-save", "nft list ruleset", "ipset list")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """The hosts and servers of calico-local, without BGP: the router has a static route to the node of a test's choice.

    The clients ignore redirects, which would have them go to the node of the test before.
    """
    name = "kp" + os.environ.get("PYTEST_XDIST_WORKER", "")
    system = scenario.load("calico-local")
    clients = {client: replace(host, accepts_redirects=False) for client, host in system.clients.items()}
    with taken_down(Lab.create(name, replace(system, clients=clients))) as made:
        wiring.wire(made)
        servers.serve(made)
        yield made


@pytest.fixture(scope="module", params=["iptables", "iptables-legacy", "nftables"])
def mode(request: pytest.FixtureRequest, lab: Lab) -> Iterator[ProxyMode]:
    """A mode, whose rules are all gone after its tests."""
    kind: ProxyMode = "nftables" if request.param == "nftables" else "iptables"
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "iptables-legacy":
            patch.setattr(xtables, "prefix", lambda *_: "iptables-legacy")
            if not lab.run("cp-1", "iptables-legacy-save", "-t", "nat", check=False).ok:
                pytest.skip("the kernel has no legacy iptables")
        yield kind
        for node in lab.scenario.nodes:
            MODES[kind].clear(lab, node)
            felix.clear(lab, node)
            left = "".join(lab.run(node, *command.split()).out for command in LISTINGS)
            assert not re.findall("KUBE-|cali|kube-proxy", left)
        lab.change(lab.state.original)


def enter_by(lab: Lab, node: str) -> None:
    """The router sends the service's address to this node."""
    lab.run("router", "ip", "route", "replace", lab.scenario.service.address, "via", lab.scenario.nodes[node].address)


def mean(lab: Lab, mode: ProxyMode, **service: object) -> None:
    """Change the target service, and let kube-proxy follow."""
    changed = replace(lab.state.original.service, **service)
    put(lab, replace(lab.state.original, services={"shop": changed}, proxy=Proxy(mode=mode)))


def put(lab: Lab, system: Scenario) -> None:
    lab.change(system)
    for node in system.nodes:
        MODES[system.proxy.mode].sync(lab, node)


def asked(lab: Lab, *questions: tuple[str, str]) -> list[int]:
    """curl's exit status for every host and URL."""

    def ask(question: tuple[str, str]) -> int:
        host, url = question
        return lab.run(host, "curl", "-sS", "-o", "/dev/null", "-m", "1", url, check=False).status

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(ask, questions))


def urls(lab: Lab) -> tuple[str, str]:
    """The service's address, and its cluster IP."""
    return f"http://{lab.scenario.service.address}/", f"http://{lab.scenario.service.cluster_ip}/"


def node_port(lab: Lab, node: str) -> str:
    return f"http://{lab.scenario.nodes[node].address}:{lab.scenario.service.node_port}/"


def sources(lab: Lab) -> set[str]:
    """The addresses that the pod's server saw since the last call."""
    (pod,) = lab.scenario.pods
    log = lab.folder / f"nginx-{pod}" / "access.log"
    seen = {line.split()[0] for line in log.read_text().splitlines()}
    log.write_text("")
    return seen


def test_policy_cluster(lab: Lab, mode: ProxyMode) -> None:
    mean(lab, mode, policy="Cluster")
    address, cluster_ip = urls(lab)
    (pod,) = lab.scenario.pods
    enter_by(lab, WITHOUT)
    sources(lab)
    assert asked(lab, *((host, address) for host in CLIENTS), ("client", node_port(lab, WITHOUT))) == [ANSWERED] * 3
    assert sources(lab) == {wiring.tunnel_address(lab.scenario, WITHOUT)}  # masqueraded by the node that they entered
    hosts = (*lab.scenario.nodes, pod)  # the pod reaches itself
    assert asked(lab, *((host, url) for host in hosts for url in (address, cluster_ip))) == [ANSWERED] * 8


def test_policy_local(lab: Lab, mode: ProxyMode) -> None:
    mean(lab, mode, policy="Local")
    address, _ = urls(lab)
    enter_by(lab, WITH)
    sources(lab)
    assert asked(lab, *((host, address) for host in CLIENTS), ("client", node_port(lab, WITH))) == [ANSWERED] * 3
    assert sources(lab) == {lab.scenario.clients[client].address for client in CLIENTS}
    enter_by(lab, WITHOUT)
    assert asked(lab, *((host, address) for host in CLIENTS), ("client", node_port(lab, WITHOUT))) == [SILENT] * 3
    assert asked(lab, (WITHOUT, address)) == [ANSWERED]  # the node itself is not bound by the policy


def test_no_endpoints(lab: Lab, mode: ProxyMode) -> None:
    mean(lab, mode, policy="Local")
    system = lab.scenario
    put(lab, replace(system, pods={name: replace(pod, ready=False) for name, pod in system.pods.items()}))
    address, cluster_ip = urls(lab)
    enter_by(lab, WITHOUT)
    questions = [*((host, address) for host in CLIENTS), ("client", node_port(lab, WITH)), (WITH, cluster_ip)]
    assert asked(lab, *questions) == [REFUSED] * 4


def test_source_ranges(lab: Lab, mode: ProxyMode) -> None:
    mean(lab, mode, policy="Cluster", source_ranges=(lab.scenario.segments["office"],))
    address, _ = urls(lab)
    enter_by(lab, WITHOUT)
    assert asked(lab, ("client", address), ("neighbour", address)) == [ANSWERED, SILENT]
    assert asked(lab, ("neighbour", node_port(lab, WITHOUT))) == [ANSWERED]  # node ports have no ranges


def test_health_check(lab: Lab, mode: ProxyMode) -> None:
    mean(lab, mode, policy="Local")

    def status(node: str) -> str:
        port = f"http://{lab.scenario.nodes[node].address}:{lab.scenario.service.health_port}/"
        return lab.run("client", "curl", "-sS", "-m", "1", "-w", " %{http_code}", port, check=False).out

    assert wait(lambda: status(WITH).endswith('"localEndpoints": 1,\n\t"serviceProxyHealthy": true\n} 200'), 3)
    assert wait(lambda: status(WITHOUT).endswith(" 503"), 3)
    mean(lab, mode, policy="Cluster")
    assert "refused" in status(WITH) or "Failed to connect" in status(WITH)


def test_the_kernel_lists_what_was_written(lab: Lab, mode: ProxyMode) -> None:
    mean(lab, mode, policy="Local", source_ranges=("10.20.30.0/24", "10.40.0.0/16"))
    for node in lab.scenario.nodes:
        if mode == "nftables":
            written, listing = listed.nft(nftables.ruleset(lab.scenario, node)), lab.run(node, "nft", "list", "ruleset")
            assert listed.nft(listing.out) == written
        else:
            tables = iptables.tables(lab.scenario, node)
            listing = lab.run(node, f"{xtables.prefix(lab, WITHOUT)}-save", merge=False)
            assert listed.iptables(listing.out) == listed.iptables(saved(tables))


def test_felix(lab: Lab, mode: ProxyMode) -> None:
    """A policy of the pod, and FORWARD with policy DROP, which Felix's chains and kube-proxy's marks get around."""
    (pod,) = lab.scenario.pods
    mean(lab, mode, policy="Local")
    address, _ = urls(lab)
    enter_by(lab, WITH)
    firewall = xtables.prefix(lab, WITH)
    lab.run(WITH, firewall, "-w", "-P", "FORWARD", "DROP")
    for policy, expected in (
        (None, [ANSWERED, ANSWERED]),
        (lab.scenario.segments["office"], [ANSWERED, SILENT]),
        ("deny", [SILENT, SILENT]),
    ):
        lab.set_knobs({f"policy/{pod}": policy})
        felix.sync(lab, WITH)
        assert asked(lab, *((host, address) for host in CLIENTS)) == expected
    lab.set_knobs({f"policy/{pod}": None})
    felix.sync(lab, WITH)
    lab.run(WITH, firewall, "-w", "-P", "FORWARD", "ACCEPT")
    asked(lab, (pod, f"http://{lab.scenario.nodes[WITHOUT].address}:22/"))
    counted = lab.run(WITH, f"{firewall}-save", "-c", "-t", "nat", merge=False).out
    assert re.search(r"^\[[1-9]\d*:\d+\] -A cali-nat-outgoing ", counted, re.MULTILINE)


def test_felix_stays_in_front(lab: Lab, mode: ProxyMode) -> None:
    """kube-proxy inserts its jumps at the top when it comes back; what it left over is then refused by Felix."""
    if mode == "nftables":
        pytest.skip("kube-proxy has no chains in common with Felix")
    mean(lab, mode, policy="Local")
    enter_by(lab, WITHOUT)
    felix.sync(lab, WITHOUT)
    MODES[mode].clear(lab, WITHOUT)
    MODES[mode].sync(lab, WITHOUT)
    lab.set_knobs({"felix/service-loop-prevention": "Reject"})
    felix.sync(lab, WITHOUT)
    lab.set_knobs({"felix/service-loop-prevention": None})
    saved_rules = lab.run(WITHOUT, f"{xtables.prefix(lab, WITHOUT)}-save", "-t", "filter", merge=False).out.splitlines()
    forward = [line for line in saved_rules if line.startswith("-A FORWARD ")]
    assert forward[0] == "-A FORWARD -j cali-FORWARD"
    assert asked(lab, ("client", urls(lab)[0])) == [REFUSED]


def test_without_ipvs_the_lab_says_so(lab: Lab) -> None:
    if lab.run(WITH, "ipvsadm", "-Sn", check=False).ok:
        pytest.skip("this kernel has IPVS")
    lab.change(replace(lab.state.original, proxy=Proxy(mode="ipvs")))
    before = lab.run(WITH, "iptables-save").out.count("KUBE")
    with pytest.raises(CommandError, match="no IPVS"):
        ipvs.sync(lab, WITH)
    assert lab.run(WITH, "iptables-save").out.count("KUBE") == before
    lab.change(lab.state.original)
