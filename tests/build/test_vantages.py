"""Tests that were made at several prompts."""

from __future__ import annotations

import pytest

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.fact import ProbeResult

SERVICE = """
{user}@{host}:~$ kubectl get svc
NAME   TYPE           CLUSTER-IP    EXTERNAL-IP    PORT(S)        AGE
web    LoadBalancer   10.96.10.20   192.0.2.77     80:31000/TCP   5d
"""
WORKS = "{user}@{host}:~$ curl http://192.0.2.77/\nhello\n"
FAILS = "me@other:~$ curl -m 5 http://192.0.2.77/\ncurl: (28) Connection timed out after 5001 milliseconds\n"


def sources(text: str) -> dict[str, str]:
    network = build(read_evidence((Document("post.txt", text.encode()),)).facts)
    return {f.outcome.value: f.source for f in network.observed if isinstance(f, ProbeResult)}


def test_the_host_where_kubectl_runs_and_the_service_answers_is_a_node() -> None:
    found = sources((SERVICE + WORKS).format(user="pi", host="four") + FAILS)
    assert found["reply"].startswith("node/")
    assert not found["timeout"].startswith("node/")


@pytest.mark.parametrize("host", ["eck-master", "k3s-1", "worker-a", "kube02"])
def test_a_host_with_a_node_s_name_is_a_node(host: str) -> None:
    found = sources(WORKS.format(user="root", host=host) + FAILS)
    assert found["reply"].startswith("node/")


def test_another_host_that_succeeds_is_another_client() -> None:
    found = sources(WORKS.format(user="ann", host="desk") + FAILS)
    assert found["reply"] == "elsewhere"


def test_a_host_is_the_client_while_nothing_fails_elsewhere() -> None:
    assert not sources(WORKS.format(user="ann", host="desk"))["reply"].startswith(("node/", "elsewhere"))
