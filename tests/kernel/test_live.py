"""A lab diagnosed live: what its hosts and its API say, in namespaces and over SSH, by the same readers and engine."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubereach.errors import UsageError
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.lab import enactment, live, requirements, scenario, system
from kubereach.lab.lab import Lab, taken_down
from kubereach.lab.vantages import ssh_targets, vantages
from kubereach.lab.wiring import address_of
from kubereach.model.diagnosis import Diagnosis, NextProbe, Verdict
from kubereach.model.fact import AnyFact, Outcome, Packet, ProbeResult
from kubereach.pipeline import Options, diagnose
from kubereach.sources import netns
from kubereach.sources.ssh import SshExecutor
from tests.cli.running import run

NAME = "liv" + os.environ.get("PYTEST_XDIST_WORKER", "")


def _missing() -> str:
    try:
        requirements.check(scenario.load("calico-local"))
    except UsageError as error:
        return f"{error.message}: {error.hint}"
    return "" if os.geteuid() == 0 else "not root"


pytestmark = pytest.mark.skipif(bool(_missing()), reason=_missing())


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with taken_down(system.up(NAME, scenario.load("calico-local"), faults=False)) as made:
        yield made


def diagnosed(lab: Lab, documents: tuple[Document, ...]) -> Diagnosis:
    flow = live.flow(lab)
    client = address_of(lab.scenario, lab.scenario.client)
    return diagnose(documents, Options(service="default/shop", address=flow.address, port=flow.port, from_=client))


def asked(lab: Lab, where: str, command: str) -> tuple[AnyFact, ...]:
    probe = NextProbe(where=where, command=command, separates=(), gain_bits=0.0, privilege="none", risk="none")
    return read_evidence(live.answer(lab, probe)).facts


def test_healthy_then_broken(lab: Lab, tmp_path: Path) -> None:
    captured = run("lab", "capture", str(tmp_path / "outputs"), "--name", NAME)
    assert captured.returncode == 0, captured.stderr
    names = {path.name for path in (tmp_path / "outputs").iterdir()}
    assert {"ip-route.wk-1.txt", "vtysh-show-bgp-summary.router.txt", "birdcl-show-protocols-all.cp-1.txt"} <= names
    documents = tuple(Document(path.name, path.read_bytes()) for path in sorted((tmp_path / "outputs").iterdir()))
    healthy = diagnosed(lab, documents)
    assert healthy.verdict is Verdict.REACHABLE
    assert not [cause for cause in healthy.causes if cause.role.value == "root"]
    again = run("lab", "capture", str(tmp_path / "outputs"), "--name", NAME)
    assert again.returncode == 2

    fault = enactment.enact(lab, "forward-drop@node/wk-1")
    try:
        printed = run("diagnose", "--lab", NAME, "-q")
        assert printed.returncode == 1, printed.stderr
        assert printed.stdout.startswith("UNREACHABLE")
        assert "the FORWARD chain on wk-1 drops the packets" in printed.stdout
    finally:
        enactment.undo(lab, fault)


def test_questions_are_answered_where_they_are_asked(lab: Lab) -> None:
    client, address = address_of(lab.scenario, "client"), live.flow(lab).address
    seen = asked(lab, "node/wk-1", f"sudo tcpdump -eni any host {client} and tcp   # while the client tries")
    assert any(isinstance(fact, Packet) and fact.destination == address for fact in seen)
    unseen = asked(lab, "node/wk-2", f"sudo tcpdump -eni any host {client} and tcp   # while the client tries")
    assert any(isinstance(fact, ProbeResult) and fact.outcome is Outcome.NOT_SEEN for fact in unseen)
    exported = asked(
        lab,
        "node/wk-1",
        "kubectl -n calico-system exec POD -c calico-node -- birdcl show route export PEER   # on wk-1; PEER as …",
    )
    assert exported
    assert {fact.origin.host for fact in exported} <= {"wk-1", "node/wk-1"}
    owners = asked(lab, "client", "sudo arping -c 2 10.20.30.21   # from a host on the nodes' segment")
    assert any(isinstance(fact, ProbeResult) and fact.macs == ("02:00:0a:14:1e:15",) for fact in owners), owners
    for impossible in ("/ip route print", "kubectl get pods -n NAMESPACE", "rm -rf /", "calicoctl node status"):
        assert asked(lab, "router", impossible) == ()


def test_ssh_gives_the_same_facts(lab: Lab) -> None:
    commands = ("ip addr", "ip route", "ip rule", "sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter")
    places = {"node/wk-1": commands, "router": (*commands[:2], "vtysh -c 'show ip route 10.99.8.20'")}
    near = netns.executor(vantages(lab))
    with tempfile.TemporaryDirectory(prefix="kr") as sockets:  # a socket's path has at most 108 bytes
        far = SshExecutor(ssh_targets(lab), sockets)
        try:
            for place, asks in places.items():
                for command in asks:
                    here, there = near.run(place, command), far.run(place, command)
                    assert (there.status, there.refused) == (0, "")
                    passing = r"\d\d:\d\d:\d\d| tentative\b"  # ages, and duplicate address detection (RFC 4862)
                    assert re.sub(passing, "", there.text) == re.sub(passing, "", here.text)
            assert far.run("router", "reboot").refused
            assert far.run("node/wk-1", "dmesg -T").status == 127
        finally:
            far.close()
