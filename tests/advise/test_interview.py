"""An answer becomes a document that its reader recognises, whatever the user pasted along."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from kubereach.advise.collect import KUBECTL, Item, remaining
from kubereach.advise.interview import as_document, next_item
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.diagnosis import NextProbe
from kubereach.model.fact import BgpSession, ObjectLeaf, Route
from kubereach.pipeline import Options, diagnose

BIRD = b"""\
BIRD v0.3.3+birdv1.6.8 ready.
name     proto    table    state  since       info
Global_10_40_7_1 BGP      master   start  2023-05-18  Active        Socket: Connection refused
"""
EXEC = "kubectl -n calico-system exec ds/calico-node -c calico-node -- birdcl show protocols all"
SERVICES = b"""\
NAME    TYPE           CLUSTER-IP    EXTERNAL-IP    PORT(S)        AGE
front   LoadBalancer   10.43.0.20    203.0.113.10   80:30080/TCP   3d
"""
ROUTER = Item(
    where="router", gives="", command="/routing bgp peer print status   # RouterOS 7: /routing/bgp/session/print"
)
SESSION = b"""\
Flags: E - established
 0 E name="w1" remote.address=10.40.7.24 .as=64777 .id=10.40.7.24 local.address=10.40.7.1 .as=64700
     output.procid=20 input.procid=20 ebgp hold-time=3m keepalive-time=1m uptime=5h41m9s prefix-count=1
"""


@pytest.mark.parametrize("typed", [b"", b"$ " + EXEC.encode() + b"\n", EXEC.encode() + b"\n"])
def test_what_runs_in_a_node_s_pod_is_said_of_the_node(typed: bytes) -> None:
    item = Item(where="node/atlas-w1", command=f"{EXEC}   # the pod on atlas-w1", gives="")
    answer = as_document("answer-1.txt", item, typed + BIRD)
    assert (answer.unread, answer.document.name) == (0, "answer-1.txt")
    sessions = [f for f in read_evidence((answer.document,)).facts if isinstance(f, BgpSession)]
    assert [(s.device, s.error) for s in sessions] == [("atlas-w1", "Socket: Connection refused")]
    assert sessions[0].origin.label() == "answer-1.txt:4"


def test_another_command_than_the_one_that_was_asked_for_stands_as_it_is() -> None:
    item = Item(where=KUBECTL, command="kubectl get service -A -o yaml", gives="")
    answer = as_document("answer-2.txt", item, b"$ kubectl -n shop get svc\n" + SERVICES)
    leaves = [f for f in read_evidence((answer.document,)).facts if isinstance(f, ObjectLeaf)]
    assert {(leaf.namespace, leaf.name) for leaf in leaves} == {("shop", "front")}


def test_a_prompt_that_names_another_host_is_believed() -> None:
    item = Item(where="node/atlas-w1", command="ip route", gives="")
    answer = as_document("answer-2.txt", item, b"root@atlas-cp:~# ip route\ndefault via 10.40.7.1 dev eth0\n")
    routes = [f for f in read_evidence((answer.document,)).facts if isinstance(f, Route)]
    assert {r.device for r in routes} == {"atlas-cp"}


def test_the_router_s_other_spelling() -> None:
    answer = as_document("answer-3.txt", ROUTER, SESSION)
    sessions = [f for f in read_evidence((answer.document,)).facts if isinstance(f, BgpSession)]
    assert [(s.device, s.peer, s.state) for s in sessions] == [("router", "10.40.7.24", "Established")]


def test_windows_line_ends_and_a_route_of_the_client() -> None:
    item = Item(where="client", command="netstat -rn", gives="")
    text = (
        b"Routing tables\r\n\r\nInternet:\r\nDestination        Gateway            Flags        Netif Expire\r\n"
        b"default            192.0.2.1          UGScg          en0       \r\n"
    )
    answer = as_document("answer-4.txt", item, text)
    routes = [f for f in read_evidence((answer.document,)).facts if isinstance(f, Route)]
    assert [(r.device, r.prefix) for r in routes] == [("client", "0.0.0.0/0")]


def test_what_no_reader_knows_is_kept_as_it_was() -> None:
    answer = as_document("answer-5.txt", ROUTER, b"I do not have access to that box.\n")
    assert answer.facts == 0
    assert answer.unread == 1
    assert answer.document.data == b"I do not have access to that box.\n"


FIRST = (Path(__file__).parents[2] / "examples" / "founding-case" / "first.txt").read_bytes()


def test_who_cannot_do_one_thing_is_asked_for_others_first() -> None:
    diagnosis = diagnose([Document("post.txt", FIRST)], Options(), most_probes=50)
    questions = remaining(diagnosis)
    captures = [q for q in questions if q.where == "node/10.40.7.11" and q.privilege == "root"]
    assert len(captures) > 1
    rest = [q for q in questions if q not in captures]
    after = next_item(diagnosis, [*captures[:1], *rest[:-1]], captures[:1])
    assert after == rest[-1], "another that needs root on that node comes after all that does not"
    assert next_item(diagnosis, [captures[0], *rest], captures[:1]) in captures[1:], "and is asked at last"
    assert next_item(diagnosis, questions) is None


def test_another_spelling_of_a_command_is_the_same_question() -> None:
    asked = NextProbe(
        where="router",
        command="vtysh -c 'show bgp summary'   # MikroTik: /routing/bgp/session/print; Cisco: show ip bgp summary",
        separates=(),
        gain_bits=1.0,
        privilege="router",
        risk="none",
        if_answer=(),
    )
    diagnosis = replace(diagnose([Document("post.txt", FIRST)], Options()), next_probes=(asked,), missing=())
    assert next_item(diagnosis, []) is not None
    for command in ("/routing/bgp/session/print", "show ip bgp summary", "vtysh -c 'show bgp summary'"):
        assert next_item(diagnosis, [Item(where="router", command=command, gives="")]) is None
