"""What the answer of a health check node port shows, where nothing else of the service was collected."""

from __future__ import annotations

import pytest

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model import attribute as a
from kubereach.model.network import Network
from kubereach.probes import inner_target

TRIED = "$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 milliseconds\n"
PORT = 31207
ANSWER = """
$ curl -si http://10.40.0.21:{port}/
HTTP/1.1 {status}
Content-Type: application/json

{body}
"""
INDENTED = '{{\n\t"service": {{\n\t\t"namespace": "web",\n\t\t"name": "shop"\n\t}},\n\t"localEndpoints": {count}\n}}'
ONE_LINE = '{{"service":{{"namespace":"web","name":"shop"}},"localEndpoints":{count},"serviceProxyHealthy":true}}'


def _built(status: str, body: str) -> Network:
    text = TRIED + ANSWER.format(port=PORT, status=status, body=body)
    return build(read_evidence([Document("post.txt", text.encode())]).facts)


@pytest.mark.parametrize("body", [INDENTED, ONE_LINE])
@pytest.mark.parametrize(
    ("count", "status", "answer"), [(0, "503 Service Unavailable", "none"), (2, "200 OK", "local")]
)
def test_the_answer_shows_the_policy_and_is_no_test_of_a_node_port(
    body: str, count: int, status: str, answer: str
) -> None:
    network = _built(status, body.format(count=count))
    assert network.flow.service == "service/web/shop"
    assert network.seen(network.flow.service, a.POLICY) == "Local"
    assert network.seen(network.flow.service, a.HEALTH_PORT) == PORT
    (sighting,) = inner_target.sightings(network)
    assert (sighting.question.about[0], sighting.answers) == ("health", frozenset({answer}))


def test_another_programs_json_shows_no_policy() -> None:
    network = _built("200 OK", '{"service": {"namespace": "web", "name": "shop"}, "replicas": 2}')
    assert network.seen(network.flow.service, a.POLICY) is None
