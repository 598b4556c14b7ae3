"""An empty list of endpoints: the pods' labels tell whether none is ready or none is selected."""

from __future__ import annotations

from kubereach.build.assemble import build
from kubereach.diagnose.catalogue import applied
from kubereach.diagnose.fault import Suspect
from kubereach.diagnose.faults import no_ready_endpoints, selector_mismatch
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.network import Network
from kubereach.probes import objects
from kubereach.simulate.world import World

LISTED = b"""NAME   TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)        AGE
web    LoadBalancer   10.97.30.4   10.88.14.9    80:30917/TCP   7d
"""


def _network(endpoints: bytes) -> Network:
    documents = [Document("kubectl-get-svc.txt", LISTED)]
    if endpoints:
        documents.append(
            Document("kubectl-get-endpoints.txt", b"NAME   ENDPOINTS   AGE\nweb    " + endpoints + b"   7d\n")
        )
    return build(read_evidence(documents).facts)


def _asked(network: Network) -> list[str]:
    return [offer.command for offer in objects.offers(network) if offer.question.about == ("labels",)]


def test_labels_are_asked_for_while_no_endpoint_is_known_to_be_ready() -> None:
    assert _asked(_network(b"<none>")) == ["kubectl -n default get pods --show-labels"]
    assert _asked(_network(b"")) == ["kubectl -n default get pods --show-labels"]
    assert _asked(_network(b"10.244.1.7:8080")) == []


def test_the_labels_separate_the_two() -> None:
    network = _network(b"")
    service = network.flow.service
    (question,) = (o.question for o in objects.offers(network) if o.question.about == ("labels",))
    worlds = {
        fault.FAULT.code: applied(World(network), (Suspect(fault=fault.FAULT, subject=service),))
        for fault in (no_ready_endpoints, selector_mismatch)
    }
    found = {code: objects.predict(world, question) for code, world in worlds.items()}
    assert (found["no-ready-endpoints"] or {})["matching"] > 0.9
    assert (found["selector-mismatch"] or {})["unmatched"] > 0.9
