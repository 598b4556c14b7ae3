"""Faults of which each hides the other, and tests whose answers come and go."""

from __future__ import annotations

from kubereach.build.assemble import build
from kubereach.diagnose.variants import variants
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.attribute import MULTIPATH
from kubereach.model.diagnosis import Role
from kubereach.model.network import Network
from kubereach.pipeline import Options, diagnose

FAILED = "* connect to 203.0.113.9 port 80 failed\ncurl: (28) Connection timed out after 5001 milliseconds\n"
WELL = "* Connected to 203.0.113.9 (203.0.113.9) port 80 (#0)\n> GET / HTTP/1.1\n>\n< HTTP/1.1 200 OK\n<\nok\n"
WELL += "* Connection #0 to host 203.0.113.9 left intact\n"
TRY = "*   Trying 203.0.113.9:80...\n"
COMMAND = "me@laptop:~$ curl -v -m 5 http://203.0.113.9/\n"
NO_ADVERTISEMENT = """
$ kubectl get ciliumbgpadvertisements -o yaml
apiVersion: v1
items: []
kind: List
metadata:
  resourceVersion: ''
"""
NO_PEERS = NO_ADVERTISEMENT.replace("ciliumbgpadvertisements", "ciliumbgpclusterconfigs")
NODES = """
$ kubectl get nodes -o wide
NAME   STATUS   ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE   KERNEL-VERSION   CONTAINER-RUNTIME
w1     Ready    <none>   12d   v1.28.2   192.0.2.11    <none>        Debian     6.1.0            containerd://1.7
w2     Ready    <none>   12d   v1.28.2   192.0.2.12    <none>        Debian     6.1.0            containerd://1.7
"""
NO_NEIGHBOURS = "\nrouter# show bgp summary\n% No BGP neighbors found in VRF default\n"


def _network(text: str) -> Network:
    return build(read_evidence([Document("post.txt", text.encode())]).facts)


def test_two_faults_that_do_the_same_are_roots_together() -> None:
    """Neither an advertisement without a peer nor a peer without an advertisement brings the route."""
    text = COMMAND + TRY + FAILED + NODES + NO_ADVERTISEMENT + NO_PEERS + NO_NEIGHBOURS
    found = diagnose([Document("post.txt", text.encode())], Options())
    roots = {cause.code for cause in found.causes if cause.role is Role.ROOT}
    assert {"no-advertisement", "router-no-announcer"} <= roots


def _asks_for_several_next_hops(text: str) -> bool:
    return any(MULTIPATH.of("router") in dict(variant.changes) for variant in variants(_network(text)))


def test_one_command_that_fares_by_turns_asks_for_several_next_hops() -> None:
    assert _asks_for_several_next_hops(COMMAND + TRY + FAILED + TRY + WELL + TRY + FAILED)
    assert not _asks_for_several_next_hops(COMMAND + TRY + FAILED + TRY + FAILED)
