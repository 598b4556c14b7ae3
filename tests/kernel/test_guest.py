"""The founding case under real IPVS, in a guest where the machine's kernel has none: what its post shows."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from kubereach.lab import enactment, guest_kernel, scenario, system, tables
from kubereach.lab.guest import GuestLab, UnfitProcessorError, share_of
from kubereach.lab.lab import ROOT, Lab, down, taken_down, wait
from kubereach.lab.scenario import Scenario

MISSING = [
    tool
    for tool in ("linux.uml", "modprobe", "ipvsadm", "ipset", "bird", "nginx", "sshd", "tcpdump", "nmap")
    if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

NAME = "gst" + os.environ.get("PYTEST_XDIST_WORKER", "")
POD, MASTER = "172.16.29.154", "192.168.88.43"
ANSWERED, TIMED_OUT = 0, 28  # curl's exit status


def founding() -> Scenario:
    """The founding case with VXLAN, which gives the master its route to the pod; BIRD is the lighter router."""
    system = scenario.load("founding-case")
    return replace(
        system,
        router=replace(system.router, daemon="bird"),
        pod_network=replace(system.pod_network, encapsulation="vxlan"),
    )


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    try:
        booted = system.up(NAME, founding(), stays=False)
    except UnfitProcessorError as error:
        pytest.skip(str(error))
    with taken_down(booted) as made:
        yield made


def curl(lab: Lab) -> int:
    address = lab.scenario.service.address
    return lab.run("client", "curl", "-sS", "-m", "2", f"http://{address}/", check=False, timeout=30).status


def test_founding_picture(lab: Lab) -> None:
    address = lab.scenario.service.address
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(
            lab.run, "client", "timeout", "20", "tcpdump", "-nni", "eth0", "-c", "1", f"src {POD} and tcp[13] = 18"
        )
        ping = lab.run("client", "ping", "-n", "-c", "2", "-W", "2", address, check=False).out
        assert curl(lab) == TIMED_OUT
        synack = seen.result().out
    assert f"Redirect Host(New nexthop: {MASTER})" in ping
    assert f"bytes from {address}" in ping
    assert f"IP {POD}.80 > " in synack
    assert "Flags [S.]" in synack
    ports = lab.run("client", "nmap", "-n", "-Pn", "-p", "22,80", "--max-retries", "1", address, timeout=30).out
    assert "22/tcp open" in ports
    assert "80/tcp filtered" in ports


def test_policy_cluster_and_back(lab: Lab) -> None:
    local = lab.scenario
    services = {name: replace(service, policy="Cluster") for name, service in local.services.items()}
    lab.change(replace(local, services=services))
    system.sync(lab)
    assert wait(lambda: curl(lab) == ANSWERED, 10)
    lab.change(local)
    system.sync(lab)
    assert curl(lab) == TIMED_OUT


def test_repaired_fault_is_gone_for_whoever_attaches(lab: Lab) -> None:
    assert lab.state.faults == ("bgp-session-blocked@node/k8s-worker-0",)
    enactment.undo(lab, "bgp-session-blocked")
    system.settle(lab)
    other = Lab.attach(NAME)
    assert other.state.faults == ()
    other.run("client", "ip", "route", "flush", "cache")  # redirects to the master, kept for minutes
    assert wait(lambda: curl(other) == ANSWERED, 20)
    said = {output.name: output.data for output in tables.of_daemons(other)}
    assert b"via 192.168.88.63" in said["birdc-show-route.router.txt"]


def test_command_line_from_outside(lab: Lab) -> None:
    status = subprocess.run(lab.argv("client", ["sh", "-c", "echo here; exit 7"]), capture_output=True, check=False)
    assert (status.stdout, status.returncode) == (b"here\n", 7)
    with subprocess.Popen(lab.argv("client", ["tcpdump", "-nni", "eth0"]), stdout=subprocess.PIPE) as watching:
        assert watching.stdout
        assert any(b"listening on" in line for line in watching.stdout)
        watching.terminate()
        assert watching.wait(10) == 0
    assert "tcpdump" not in lab.run("client", "ps", "-eo", "comm").out


def test_guest_ends_with_its_owner() -> None:
    name = "own" + os.environ.get("PYTEST_XDIST_WORKER", "")
    share = share_of(ROOT / name)
    code = (
        "import sys; from kubereach.lab import scenario; from kubereach.lab.guest import GuestLab; "
        "GuestLab.boot(sys.argv[1], scenario.load('founding-case'), stays=False)"
    )
    try:
        with subprocess.Popen([sys.executable, "-c", code, name]) as owner:
            assert wait(lambda: any("linux.uml" in words[0] for words in processes(share)), 20)
            owner.send_signal(signal.SIGKILL)
        assert wait(lambda: not list(processes(share)), 5)
    finally:
        down(name)
    assert not share.exists()


def processes(share: Path) -> Iterator[list[str]]:
    """The command lines that name a guest's folder."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(word == f"init={share}/init" for word in words):
            yield words


def test_reasons_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "network namespaces take root" in tuple(guest_kernel.reasons(founding()))
    assert issubclass(GuestLab, Lab)
