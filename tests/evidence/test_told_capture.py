"""What people say a packet capture showed them."""

from __future__ import annotations

import pytest

from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.fact import NODES, SERVICE, Packet, ProbeKind, ProbeResult
from tests.timing import spent

ARRIVES = ("request", "seen")
SILENT = ("answer", "not-seen")


def read(text: str) -> list[tuple[str, str]]:
    """(what, whether seen) of all that captures are said to have shown, and the other tests as (source, outcome)."""
    found = []
    for fact in read_evidence((Document("post.txt", text.encode()),)).facts:
        if isinstance(fact, Packet):
            assert (fact.device, fact.destination) == (NODES, SERVICE)
            found.append((fact.what, "seen"))
        elif isinstance(fact, ProbeResult) and fact.probe is ProbeKind.CAPTURE:
            assert fact.at == NODES
            what = "answer" if fact.source == SERVICE else "arp-request" if fact.protocol == "ARP" else "request"
            found.append((what, fact.outcome.value))
        elif isinstance(fact, ProbeResult):
            found.append((f"{fact.source} {fact.probe.value}", fact.outcome.value))
    return sorted(found, key=lambda one: one != ARRIVES)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("tcpdump on the node shows a SYN coming in but no reply.", [ARRIVES, SILENT]),
        ("A packet capture on the worker shows the SYN, but the node never replies.", [ARRIVES, SILENT]),
        ("Running tcpdump on worker nodes, no packets arrive at all.", [("request", "not-seen")]),
        ("On the master I don't see any traffic with tcpdump.", [("request", "not-seen")]),
        ("The requests reach the node and it answers with a SYN-ACK.", [ARRIVES, ("answer", "seen")]),
        ("tcpdump抓包看到节点收到了SYN包，但是没有回应。", [ARRIVES, SILENT]),
        ("Mit tcpdump auf dem Node kommen die Pakete an, aber es gibt keine Antwort.", [ARRIVES, SILENT]),
    ],
)
def test_a_capture_of_the_connection(text: str, wanted: list[tuple[str, str]]) -> None:
    assert read(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "On the metallb node tcpdump shows ARP requests but no ARP replies.",
            [("client arp", "timeout"), ("arp-request", "seen")],
        ),
        ("I can see ARP requests arriving on the node, but the speaker does not answer.", [("client arp", "timeout")]),
        ("With wireshark I cannot see any answer to the arp request.", [("client arp", "timeout")]),
        ("tcpdump on the node: no ARP requests for it come in.", [("arp-request", "not-seen")]),
    ],
)
def test_a_capture_of_arp(text: str, wanted: list[tuple[str, str]]) -> None:
    assert set(wanted) <= set(read(text))


@pytest.mark.parametrize(
    "text",
    [
        "tcpdump on my laptop shows the SYN going out and no answer.",  # it says nothing of the nodes
        "I ran tcpdump and saw the SYN.",  # nobody knows where
        "The requests reach the node if I add a static route.",  # in another state
        "Should the requests reach the node?",
    ],
)
def test_what_shows_nothing_about_the_nodes_is_left_out(text: str) -> None:
    assert [one for one in read(text) if one[0] in {"request", "answer", "arp-request"}] == []


def test_two_captures_that_contradict_each_other_are_both_left_out() -> None:
    text = "tcpdump on the node shows the SYN.\nFor the other service tcpdump on the node shows no packets.\n"
    assert read(text) == []


def test_a_capture_is_no_test_that_the_node_made() -> None:
    assert ("nodes tcp", "failed") not in read("tcpdump on the node shows the SYN but no reply comes.")


def test_a_long_sentence_takes_no_more_than_linear_time() -> None:
    few, many = ("tcpdump on the node no arp " * count for count in (500, 2000))
    assert spent(lambda: read(many)) < 8 * spent(lambda: read(few))
