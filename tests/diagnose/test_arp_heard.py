"""What a capture on a node tells of the ARP requests of others, and what the leases beside it tell."""

from __future__ import annotations

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.attribute import CLIENT_ROUTE_WRONG
from kubereach.model.network import Network
from kubereach.pipeline import Options, diagnose
from kubereach.probes import arp, arp_wire
from kubereach.probes.question import Question
from kubereach.simulate.world import World

TRIED = "$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 milliseconds\n"
LEASES = """\
NAME                             HOLDER                  AGE
cilium-l2announce-web-shop       rack-7                  12d
cilium-operator-resource-lock    edge-b-966dbsmdsw       212d
kube-scheduler                   cp_0b2f4f0e-0f3c-4a57   212d
"""
ASKED = (
    "10:00:0{second}.200101 48:8f:5a:10:22:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 60: "
    "Request who-has 203.0.113.9 tell 203.0.113.1, length 46\n"
)
ANSWER = (
    "10:00:00.300101 52:54:00:9e:00:07 > 48:8f:5a:10:22:01, ethertype ARP (0x0806), length 60: "
    "Reply 203.0.113.9 is-at 52:54:00:9e:00:07, length 46\n"
)


def _documents(capture: str) -> tuple[Document, ...]:
    files = {
        "curl-http.client.txt": TRIED,
        "kubectl-get-leases-n-kube-system.txt": LEASES,
        "tcpdump-n-e-i-ens18-arp.edge-b.txt": capture,
    }
    return tuple(Document(name, text.encode()) for name, text in files.items())


def _network(capture: str) -> Network:
    return build(read_evidence(_documents(capture)).facts)


def _heard(times: int, after: str = "") -> list[frozenset[str]]:
    capture = "".join(ASKED.format(second=second) for second in range(times)) + after
    found = [s for s in arp.sightings(_network(capture)) if s.question.about == ("repeated",)]
    return [sighting.answers for sighting in found]


def test_the_holders_of_ciliums_leases_are_nodes() -> None:
    assert {"node/rack-7", "node/edge-b"} <= set(_network(ASKED.format(second=0)).nodes)


def test_who_asks_again_and_again_gets_no_answer() -> None:
    assert _heard(3) == [frozenset({"none"})]


def test_a_single_request_or_an_answered_one_tells_nothing() -> None:
    assert _heard(1) == []
    assert _heard(3, after=ANSWER) == []


def test_who_is_asked_for_is_reached_as_far_as_the_segment() -> None:
    network = _network(ASKED.format(second=0))
    world = World(network)
    astray = world.changed({CLIENT_ROUTE_WRONG.of("client"): True})
    asked, not_asked = (arp_wire.predict(w, Question(arp_wire.KIND, "node/edge-b")) for w in (world, astray))
    assert asked
    assert not_asked
    assert not_asked["nothing"] > 0.5 > asked["nothing"]


def test_an_address_that_is_asked_for_lies_on_the_segment() -> None:
    def off_link(capture: str) -> float:
        causes = diagnose(_documents(capture), Options()).causes
        return sum(cause.probability for cause in causes if cause.code == "pool-not-on-link")

    assert off_link("".join(ASKED.format(second=second) for second in range(3))) < 0.05 < off_link("")
