"""What people say they tried, read from their sentences."""

from __future__ import annotations

import pytest

from kubereach.evidence.document import Document
from kubereach.evidence.intake import LineState, account, read_evidence
from kubereach.model.fact import NODES, SOME_POD, ProbeResult, Trust
from tests.timing import spent

OUT, IN, POD = "client", NODES, SOME_POD


def read(text: str) -> list[tuple[str, str, str, str]]:
    """(source, probe, target, outcome) of each test told."""
    facts = read_evidence((Document("post.txt", text.encode()),)).facts
    return [(f.source, f.probe.value, f.target, f.outcome.value) for f in facts if isinstance(f, ProbeResult)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("I cannot access the services in my cluster.", [(OUT, "failed")]),
        ("It doesn't seem to work from outside, never got it working from my laptop.", [(OUT, "failed")]),
        ("The VIP is unreachable from outside of the k8s cluster.", [(OUT, "failed")]),
        ("Curl from any worker node answers, but from my laptop it hangs.", [(OUT, "timeout")]),
        ("It works on all nodes but not from my desktop.", [(IN, "reply"), (OUT, "failed")]),
        ("The address is only reachable from inside the cluster.", [(IN, "reply"), (OUT, "failed")]),
        ("I am unable to access the LoadBalancer IP from outside the cluster.", [(OUT, "failed")]),
        ("From my PC the service answers with connection refused.", [(OUT, "refused")]),
        ("On my mac I get 'No route to host' for the external IP.", [(OUT, "unreachable")]),
        ("The service is intermittently unreachable from external clients.", [(OUT, "intermittent")]),
        ("From another pod the service responds.", [(POD, "reply")]),
        ("Von den Nodes geht es, von außen ist der Dienst nicht erreichbar.", [(IN, "reply"), (OUT, "failed")]),
        ("Depuis les nœuds ça fonctionne mais depuis mon pc ça ne répond pas.", [(IN, "reply"), (OUT, "failed")]),
        ("Desde los nodos funciona pero desde fuera no responde.", [(IN, "reply"), (OUT, "failed")]),
        ("集群内可以访问该服务，但是集群外无法访问", [(IN, "reply"), (OUT, "failed")]),
        ("ノードからは接続できますが、手元のPCからはタイムアウトします。", [(IN, "reply"), (OUT, "timeout")]),
        ("Снаружи сервис не отвечает.", [(OUT, "failed")]),
        ("외부에서 서비스에 접속이 안 됩니다", [(OUT, "failed")]),
    ],
)
def test_a_connection_is_told_in_a_sentence(text: str, wanted: list[tuple[str, str]]) -> None:
    assert [(source, outcome) for source, _, _, outcome in read(text)] == wanted


def test_a_ping_is_told_apart_from_a_connection_and_the_place_carries_over() -> None:
    found = read("From my laptop ping works but curl http://203.0.113.9:8080 hangs.")
    assert found == [(OUT, "ping", "", "reply"), (OUT, "tcp", "203.0.113.9", "timeout")]


def test_a_wrapped_sentence_is_one_sentence() -> None:
    text = "We see that the service cannot\nbe reached, i.e. it is not reachable\nfrom outside.\n"
    assert read(text) == [(OUT, "tcp", "", "failed")]
    states = account(Document("post.txt", text.encode()))
    assert LineState.UNREAD not in states


@pytest.mark.parametrize(
    "text",
    [
        "It should be reachable from outside the cluster.",
        "If I set externalTrafficPolicy to Local it works from outside.",
        "I want to reach the service from my laptop.",
        "How can I make the service reachable from my laptop?",
        "The NodePort works from my laptop.",
        "kubectl does not work from my laptop.",
        "The cluster IP is reachable from the nodes.",
        "We have no response from the maintainers.",
        "I can reach it from my router.",
        "## Expected Behavior\nThe service responds from outside the cluster.\n",
        "From outside 10.0.0.2 works through 10.0.0.3",
        "Before the upgrade it worked from my laptop.",
    ],
)
def test_wishes_other_states_and_other_addresses_are_no_tests(text: str) -> None:
    assert read(text) == []


def test_of_two_that_contradict_each_other_none_is_kept() -> None:
    assert read("The blog works from outside.\n\nThe shop service does not work from outside.\n") == []


def test_the_most_exact_of_several_is_kept_once() -> None:
    assert read("# Service not reachable from outside\n\nFrom my laptop it times out.\n") == [
        (OUT, "tcp", "", "timeout")
    ]


def test_it_is_trusted_as_prose_and_listed_with_its_place() -> None:
    evidence = read_evidence((Document("post.txt", b"Hi!\n\nThe service is not reachable from outside.\n"),))
    fact = next(f for f in evidence.facts if isinstance(f, ProbeResult))
    assert fact.trust is Trust.MENTIONED
    assert (fact.origin.first, fact.origin.last) == (3, 3)
    assert [p.text for p in evidence.understood] == ["from outside, tcp to the service: failed"]


def test_an_output_is_never_read_as_a_sentence() -> None:
    log = '{"level":"error","msg":"the service is not reachable from outside"}\nts=1 level=warn no route to host\n'
    assert read(log) == []


def test_many_lines_take_no_more_than_linear_time() -> None:
    line = "the service is not reachable from outside and it hangs "
    few, many = (Document("post.txt", (line * 8 + "\n").encode() * count) for count in (500, 2000))
    assert spent(lambda: read_evidence((many,))) < 8 * spent(lambda: read_evidence((few,)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("I'm not able to curl it from my mac, but I am from the node itself.", [(OUT, "failed"), (IN, "reply")]),
        ("It works as expected in the cluster but not from outside.", [(IN, "reply"), (OUT, "failed")]),
    ],
)
def test_a_clause_may_leave_out_its_verb(text: str, wanted: list[tuple[str, str]]) -> None:
    assert [(source, outcome) for source, _, _, outcome in read(text)] == wanted


def test_arp_is_told_like_a_ping() -> None:
    assert read("arping from my laptop gets no reply.") == [(OUT, "arp", "", "timeout")]
    found = read("I can arping the IP from my laptop but curl hangs.")
    assert found == [(OUT, "arp", "", "reply"), (OUT, "tcp", "", "timeout")]


def test_a_success_outside_alone_is_no_report() -> None:
    assert read("The web server on the host is reachable from outside.") == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "Die LB-IP ist nicht erreichbar, Ping geht aber. Vom Worker liefert curl etwas, vom Mac aus hängt es.",
            [(OUT, "tcp", "timeout"), (OUT, "ping", "reply"), (IN, "tcp", "reply")],
        ),
        ("The terminals outside the cluster cannot access services in the k8s cluster.", [(OUT, "tcp", "failed")]),
        ("From my cousin's toaster it works, from berta it hangs.", []),
        ("With the cluster IP, it works from the nodes.", []),
    ],
)
def test_each_part_of_a_sentence_has_its_own_place(text: str, wanted: list[tuple[str, str, str]]) -> None:
    assert [(source, probe, outcome) for source, probe, _, outcome in read(text)] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("I can reach the kubernetes master.\n\nBut from my laptop I can't access it.", [(OUT, "tcp", "", "failed")]),
        ("I can ping all my nodes but from outside the service hangs.", [(OUT, "tcp", "", "timeout")]),
        ("It never ARPs for the address.", [(OUT, "arp", "", "timeout")]),
        ("The address is not in any ARP reply from the leader node.", [(IN, "arp", "", "timeout")]),
        ("局域网里访问该地址失败", [(OUT, "tcp", "", "failed")]),
        ("arping 192.0.2.7 没有任何回复", [(OUT, "arp", "192.0.2.7", "timeout")]),
        ("The node isn't blocking ARP traffic for the load balancer.", []),
        ("Why is no ARP broadcast sent for the LoadBalancer?", []),
    ],
)
def test_what_is_reached_and_what_answers_arp(text: str, wanted: list[tuple[str, str, str, str]]) -> None:
    assert read(text) == wanted


def test_people_go_on_below_a_page_that_they_pasted_in_part() -> None:
    page = "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome</title>\n"
    tried = f"root@node1:~# curl http://203.0.113.9\n{page}\nBut from my laptop it times out.\n"
    assert (OUT, "tcp", "", "timeout") in read(tried)
