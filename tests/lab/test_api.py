"""The lab's API server under the real kubectl, and what kubectl prints under kubereach's own readers."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.lab import scenario, tools
from kubereach.lab.kubernetes.api import Server
from kubereach.lab.kubernetes.execute import place
from kubereach.lab.lab import Lab, Result, State
from kubereach.model.fact import ObjectLeaf

pytestmark = pytest.mark.skipif(
    not shutil.which("kubectl"), reason="not installed: kubectl (Debian: kubernetes-client)"
)

PROTOCOLS = "BIRD 2.0.12 ready.\nGlobal_10_20_30_1 BGP        ---        start  21:00:00.0    Connect\n"


class Paper(Lab):
    """A lab that only its state makes: its nodes' BIRD says what `said` holds."""

    said = PROTOCOLS.replace("start  21:00:00.0    Connect", "up     21:00:00.0    Established")

    def run(
        self, host: str, *argv: str, timeout: float = 20, check: bool = True, stdin: str = "", merge: bool = True
    ) -> Result:
        assert argv[1:] == ("show", "protocols")
        return Result(self.said, 0)


Kubectl = Callable[..., str]


@pytest.fixture
def lab(tmp_path: Path) -> Paper:
    loaded = scenario.load("calico-local")
    made = Paper("paper", State(original=loaded, scenario=loaded))
    made.folder = tmp_path
    (tmp_path / "kubeconfig").touch()
    return made


@pytest.fixture
def kubectl(lab: Paper, tmp_path: Path) -> Iterator[Kubectl]:
    server = Server(0, lambda: lab)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    environment = {**os.environ, "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "kubeconfig"), "TZ": "UTC"}
    (tmp_path / "kubeconfig").write_text(tools.kubeconfig(server.server_port))

    def run(*words: str) -> str:
        done = subprocess.run(
            ["kubectl", *words], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout + done.stderr

    try:
        yield run
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def leaves(command: str, text: str) -> dict[str, object]:
    """What the readers make of it, all lines read."""
    evidence = read_evidence([Document("paste.txt", f"$ {command}\n{text}".encode())])
    assert not evidence.unread, text
    return {f"{f.kind}/{f.name} {f.path}": f.value for f in evidence.facts if isinstance(f, ObjectLeaf)}


@pytest.mark.parametrize(
    ("command", "path", "value"),
    [
        ("get svc -A -o wide", "Service/shop status.loadBalancer.ingress[0].ip", "10.99.8.20"),
        ("get svc shop -o yaml", "Service/shop spec.externalTrafficPolicy", "Local"),
        ("describe svc shop", "Service/shop spec.ports[0].nodePort", 31380),
        ("get nodes -o wide --show-labels", "Node/wk-1 status.addresses.InternalIP", "10.20.30.21"),
        ("describe node cp-1", "Node/cp-1 status.conditions.Ready", True),
        ("get pods -A -o wide", "Pod/shop-6d4f9c7b8-aaaaa spec.nodeName", "wk-1"),
        ("get cm -n kube-system kube-proxy -o yaml", 'ConfigMap/kube-proxy data["config.conf"].mode', "iptables"),
        ("get bgpconfigurations,bgppeers,ippools -o yaml", "BGPPeer/router spec.peerIP", "10.20.30.1"),
    ],
)
def test_kubectl_shows_the_scenario(kubectl: Kubectl, command: str, path: str, value: object) -> None:
    text = kubectl(*command.split())
    found = leaves(f"kubectl {command}", text)
    assert found.get(path) == value, sorted(found)


def test_wide_tables_have_the_columns_of_the_real_server(kubectl: Kubectl) -> None:
    heads = {
        what: kubectl("get", what, "-A", "-o", "wide").split("\n")[0].split("  ") for what in ("svc", "pods", "ds")
    }
    columns = {what: [word.strip() for word in words if word.strip()] for what, words in heads.items()}
    assert columns["svc"][1:] == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"]
    assert columns["pods"][-4:] == ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]
    assert columns["ds"][2:7] == ["DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE"]


def test_absence_and_writing_are_answered_as_the_real_server_does(kubectl: Kubectl) -> None:
    assert kubectl("get", "svc", "nothere") == 'Error from server (NotFound): services "nothere" not found\n'
    assert "the server doesn't have a resource type" in kubectl("get", "ciliumnodes")
    assert kubectl("get", "networkpolicies", "-A") == "No resources found\n"
    assert "read-only" in kubectl("delete", "svc", "shop")


def test_selectors_choose(kubectl: Kubectl) -> None:
    names = kubectl("get", "pods", "-A", "-l", "k8s-app in (kube-proxy)", "-o", "name").split()
    assert len(names) == 3
    assert all(name.startswith("pod/kube-proxy-") for name in names)
    on_one = kubectl("get", "pods", "-A", "--field-selector", "spec.nodeName=wk-1", "-o", "name").split()
    assert len(on_one) == 3


def test_the_objects_follow_the_lab(lab: Paper, kubectl: Kubectl) -> None:
    assert "0/1" not in kubectl("get", "pods", "-A")
    pods = {name: replace(pod, ready=False) for name, pod in lab.scenario.pods.items()}
    lab.change(replace(lab.scenario, pods=pods))
    lab.set_knobs({"stopped/kube-proxy/wk-2": "yes"})
    assert kubectl("get", "endpoints", "shop").split()[-2] == "<none>"
    assert "CrashLoopBackOff" in kubectl("get", "pods", "-n", "kube-system")
    lab.said = PROTOCOLS
    assert "BGP not established with 10.20.30.1" in kubectl("describe", "pod", "-n", "calico-system")
    assert kubectl("get", "ds", "calico-node", "-n", "calico-system").split()[-5] == "0"


def test_logs_are_the_daemons_own(lab: Paper, kubectl: Kubectl) -> None:
    lab.write("bird-wk-1.log", "2026-11-25 21:00:00.123 <RMT> Global_10_20_30_1: Error: Hold timer expired\n")
    text = kubectl("logs", "-n", "calico-system", "-l", "k8s-app=calico-node", "--tail=-1")
    assert text == "bird: Global_10_20_30_1: Error: Hold timer expired\n"


def test_exec_goes_to_the_pods_node(lab: Paper, kubectl: Kubectl) -> None:
    name = kubectl(
        *[
            "get",
            "pods",
            "-n",
            "calico-system",
            "--field-selector",
            "spec.nodeName=wk-2",
            "-o",
            "jsonpath={.items[0].metadata.name}",
        ]
    )
    words = ["exec", "-n", "calico-system", name, "-c", "calico-node", "--", "birdcl", "show", "route"]
    assert place(lab, words) == ("wk-2", ["birdcl", "show", "route"])
    with pytest.raises(ValueError, match="not found"):
        place(lab, ["exec", "-n", "default", name, "--", "true"])
