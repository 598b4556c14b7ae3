"""Hosts that only a prompt names: whose devices a CNI made, and who is named like them, is a node."""

from __future__ import annotations

import pytest

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence

ROUTES = """ubuntu@nimbus-w2:~# ip route
default via 10.10.0.1 dev bond0 proto static
10.10.0.0/22 dev bond0 proto kernel scope link src 10.10.0.54
10.233.66.147 dev calidca6322b7b2 scope link
"""
TRIED = """{}:~$ curl -m 5 http://203.0.113.1:80/
curl: (28) Failed to connect to 203.0.113.1 port 80 after 5001 ms: Timeout was reached
"""


def _sources(*prompts: str) -> set[str]:
    documents = [Document(f"{i}.txt", TRIED.format(prompt).encode()) for i, prompt in enumerate(prompts)]
    facts = read_evidence([Document("routes.txt", ROUTES.encode()), *documents]).facts
    return {str(getattr(fact, "source", "")) for fact in build(facts).observed} - {""}


def test_a_host_named_like_one_with_a_pods_device_is_a_node() -> None:
    assert _sources("ubuntu@nimbus-w1") == {"node/nimbus-w1"}


def test_a_laptop_and_a_host_of_another_name_are_none() -> None:
    assert not any(source.startswith("node/") for source in _sources("me@laptop", "me@thinkcentre"))


@pytest.mark.parametrize("name", ["node-10.0.0.10", "prod-master", "gpu-worker-3", "eu.control-plane1"])
def test_a_role_in_a_host_s_name_makes_it_a_node(name: str) -> None:
    text = f"{name} $ curl -m 5 http://192.0.2.77/\nok\n"
    network = build(read_evidence((Document("post.txt", text.encode()),)).facts)
    assert f"node/{name}" in network.nodes
