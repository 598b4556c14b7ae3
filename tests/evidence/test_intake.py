from __future__ import annotations

from functools import partial
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubereach.evidence.document import Document
from kubereach.evidence.intake import Evidence, LineState, account, read_evidence
from kubereach.model.fact import Fact, Neighbour, ProbeResult, Route, Setting, Trust
from tests.timing import spent

POST = dedent(
    """\
    オンプレの Kubernetes (v1.27) で cni は calico、kube プロキシは ipvs モードです。
    LB は MetalLB 0.13.12 です。

    # commands below run on my laptop
    ❯ ping -c 2 10.9.0.1
    PING 10.9.0.1 (10.9.0.1): 56 data bytes
    64 bytes from 10.9.0.1: icmp_seq=0 ttl=64 time=9.1 ms
    64 bytes from 10.9.0.1: icmp_seq=1 ttl=64 time=9.1 ms

    --- 10.9.0.1 ping statistics ---
    2 packets transmitted, 2 packets received, 0.0% packet loss
    round-trip min/avg/max/stddev = 9.1/9.1/9.1/0.0 ms

    # 192.168.7.1 is my default gateway
    # 192.168.7.20 or 192.168.7.21 is the master
    root@worker-0:~# ip route
    default via 192.168.7.1 dev eth0 proto dhcp
    10.50.3.0/26 via 192.168.7.11 dev eth0 proto bird

    calicoctl node statusの結果

    ![screenshot](status.png)

    $ kubectl get svc

    thanks a lot for any help you can give
    """
)


def evidence(text: str, name: str = "post.txt") -> Evidence:
    return read_evidence([Document(name, text.encode())])


def settings_of(found: Evidence) -> set[tuple[str, str, object]]:
    return {(fact.subject, fact.attribute, fact.value) for fact in found.facts if isinstance(fact, Setting)}


def test_outputs_are_read_by_their_commands_with_host_and_place() -> None:
    routes = [fact for fact in evidence(POST).facts if isinstance(fact, Route)]
    assert {(route.prefix, route.device) for route in routes} == {
        ("0.0.0.0/0", "worker-0"),
        ("10.50.3.0/26", "worker-0"),
    }
    assert {route.origin.label() for route in routes} == {"post.txt:17", "post.txt:18"}
    assert {route.origin.command for route in routes} == {"ip route"}


def test_a_comment_says_where_a_command_ran() -> None:
    (ping,) = [fact for fact in evidence(POST).facts if isinstance(fact, ProbeResult)]
    assert (ping.outcome, ping.source) == ("reply", "client")


def test_prose_yields_tokens_and_nothing_else() -> None:
    assert settings_of(evidence(POST)) == {
        ("cluster", "kubernetes.version", "1.27"),
        ("cluster", "cni", "calico"),
        ("cluster", "kube-proxy.mode", "ipvs"),
        ("cluster", "load-balancer", "metallb"),
        ("cluster", "load-balancer.version", "0.13.12"),
        ("address/192.168.7.1", "role", "gateway"),
    }
    assert all(fact.trust == Trust.MENTIONED for fact in evidence(POST).facts if isinstance(fact, Setting))
    assert "post.txt:1" in {passage.origin.label() for passage in evidence(POST).understood}


def test_what_is_only_named_is_wanted() -> None:
    wanted = evidence(POST).wanted
    assert [text for text in wanted if "calicoctl node status" in text]
    assert [text for text in wanted if "kubectl get svc" in text]
    assert not [text for text in wanted if "ip route" in text]


def test_the_rest_is_unread_with_its_place() -> None:
    unread = {passage.origin.label(): passage.text for passage in evidence(POST).unread}
    assert unread["post.txt:26"] == "thanks a lot for any help you can give"
    assert "post.txt:15" in unread  # two addresses: nothing is tied


def test_a_command_without_output_is_no_fact() -> None:
    found = evidence("$ ip route\n$ ping 10.9.0.1\n\nkubectl exec -n x ds/calico-node -- birdcl show route\n")
    assert found.facts == ()
    assert len(found.wanted) == 3


def test_an_output_without_a_command_is_known_by_its_look() -> None:
    found = evidence("Look at this:\n\ndefault via 10.0.0.1 dev eth0\n10.1.0.0/24 dev eth0 proto kernel scope link\n")
    assert {fact.prefix for fact in found.facts if isinstance(fact, Route)} == {"0.0.0.0/0", "10.1.0.0/24"}
    assert {fact.origin.command for fact in found.facts} == {""}


def test_an_output_that_follows_another_is_read_too() -> None:
    text = POST.replace(
        "calicoctl node status",
        "PING 10.9.0.7 (10.9.0.7) 56(84) bytes of data.\n\n--- 10.9.0.7 ping statistics ---\n"
        "3 packets transmitted, 0 received, 100% packet loss, time 2040ms\n\nx",
    )
    results = {(fact.target, fact.outcome) for fact in evidence(text).facts if isinstance(fact, ProbeResult)}
    assert results == {("10.9.0.1", "reply"), ("10.9.0.7", "timeout")}


@pytest.mark.parametrize(
    "wrap", ["```console\n{}```\n", "~~~\n{}~~~\n", "<pre>{}</pre>\n", "{}", "Output:\n\n{}\ntext\n"]
)
def test_fences(wrap: str) -> None:
    found = evidence(wrap.format("$ ip route\ndefault via 10.0.0.1 dev eth0\n"))
    assert [fact.prefix for fact in found.facts if isinstance(fact, Route)] == ["0.0.0.0/0"]


@pytest.mark.parametrize("margin", ["    ", "\t", "> ", ">> ", "  "])
def test_margins(margin: str) -> None:
    text = "text\n\n" + "".join(
        f"{margin}{line}\n"
        for line in ["root@n1:~# ip route", "default via 10.0.0.1 dev eth0 ", "10.1.0.0/24 dev eth0"]
    )
    routes = [fact for fact in evidence(text).facts if isinstance(fact, Route)]
    assert [(route.prefix, route.device, route.origin.first) for route in routes] == [
        ("0.0.0.0/0", "n1", 4),
        ("10.1.0.0/24", "n1", 5),
    ]


@pytest.mark.parametrize(
    "heading",
    ["`ip route`:", "Output of `ip route` on worker-7:", "### ip route", "**ip route:**", "worker-7\n\n`ip route`:"],
)
def test_a_heading_names_the_command_of_the_fence_below(heading: str) -> None:
    found = evidence(f"{heading}\n\n```\ndefault via 10.0.0.1 dev eth0\n```\n")
    assert [fact.origin.command for fact in found.facts if isinstance(fact, Route)] == ["ip route"]


def test_advice_in_prose_is_no_command() -> None:
    found = evidence("You should run ip route and ping 10.9.0.1 and then look again.\n\nroute is fine on the node.\n")
    assert found.facts == ()
    assert len(found.unread) == 2


def test_an_agents_pod_is_its_node_where_a_wide_table_says_so() -> None:
    table = "\n".join(
        [
            "$ kubectl -n calico-system get pods -o wide",
            "NAME                READY   STATUS    RESTARTS   AGE   IP             NODE       NOMINATED NODE",
            "calico-node-abcde   1/1     Running   0          5d    192.168.7.12   worker-3   <none>",
        ]
    )
    command = "$ kubectl -n calico-system exec {} -- ip route\ndefault via 10.0.0.1 dev eth0\n"
    found = evidence(f"{table}\n{command.format('calico-node-abcde')}{command.format('calico-node-other')}")
    assert [fact.device for fact in found.facts if isinstance(fact, Route)] == ["node/worker-3", ""]


def test_names_of_files_say_command_and_host() -> None:
    found = evidence("default via 10.0.0.1 dev eth0\n", "b/ip-route.worker-0.txt")
    (route,) = [fact for fact in found.facts if isinstance(fact, Route)]
    assert (route.device, found.captures[0].command) == ("worker-0", "ip route")


def test_the_first_line_of_a_file_overrides_its_name() -> None:
    found = evidence(
        "root@n9:~# ip neigh\n10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE\n", "ip-route.worker-0.txt"
    )
    assert {fact.device for fact in found.facts if isinstance(fact, Neighbour)} <= {"n9"}
    assert not [fact for fact in found.facts if isinstance(fact, Route)]


def test_windows_files() -> None:
    text = POST.replace("\n", "\r\n")
    kinds = [type(fact) for fact in evidence(POST).facts]
    for encoding in ("utf-8-sig", "utf-16"):
        found = read_evidence([Document("post.txt", text.encode(encoding))])
        assert [type(fact) for fact in found.facts] == kinds


@pytest.mark.parametrize("value", ["ipvs", "iptables", "nftables"])
def test_proxy_modes_are_taken_beside_a_word_for_proxy_or_mode(value: str) -> None:
    assert ("cluster", "kube-proxy.mode", value) in settings_of(evidence(f"the proxy runs in {value}\n"))


def test_contradicting_modes_are_both_kept() -> None:
    found = settings_of(evidence("kube-proxy mode ipvs\n\nnow in mode iptables\n"))
    assert {value for _, attribute, value in found if attribute == "kube-proxy.mode"} == {"ipvs", "iptables"}


@pytest.mark.parametrize(
    "text",
    [
        "I flushed iptables\n",
        "see https://x.example/ipvs and https://docs.example/calico/1.2\n",
        "pod calico-node is up\n",
    ],
)
def test_mentions_of_something_else(text: str) -> None:
    assert settings_of(evidence(text)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "curl 10.9.0.1 from my laptop hangs",
        "10.9.0.1 and 10.9.0.2 are the master",
        "10.9.0.1 is the master and the router",
        "the pool 10.9.0.0/28 is for the client",
    ],
)
def test_an_address_is_tied_to_a_role_only_where_that_is_plain(text: str) -> None:
    assert settings_of(evidence(f"# {text}\n")) == set()


HOSTILE = {
    "empty": b"",
    "newline": b"\n",
    "noise": bytes(range(256)) * 4000,
    "one long line": b"a1.2:/-> $#" * 500_000,
    "one long prompt": b"root@" + b"a" * 3_000_000 + b"# ",
    "short lines": b"x\n" * 200_000,
    "prompts": b"$ ip route\n" * 50_000,
    "routes between words": b"default via 10.0.0.1 dev eth0\nhello there\n" * 20_000,
    "comments": b"# a remark of mine\n" * 50_000,
    "spaces": b" " * 1_000_000,
    "fences": b"```\n~~~\n" * 20_000,
    "open fence": b"```\n" + b"$ ip r\n" * 20_000,
    "quotes": b"> " * 500_000,
    "backslashes": b"$ ip \\\n" * 50_000,
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(1000),
    "nul": bytes(500_000),
    "backticks": b"`ip r` " * 100_000,
    "nodes": b"NAME STATUS ROLES\n"
    + b"".join(b"node-%d Ready x\n" % i for i in range(3_000))
    + b"# on node-1\n" * 2_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_takes_linear_time_and_loses_nothing(name: str) -> None:
    states: list[LineState] = []
    quarter, whole = (Document("post.txt", HOSTILE[name][: len(HOSTILE[name]) // part]) for part in (4, 1))
    post = Document("post.txt", POST.encode() * 30)  # so that what is read in no time is not measured by its noise
    paces = [spent(partial(account, document), tries=1) for document in (quarter, post)]
    assert spent(lambda: states.extend(account(whole)), tries=1) < 10 * paces[0] + paces[1]
    assert all(isinstance(state, LineState) for state in states)


LINES = st.sampled_from(
    [*POST.splitlines(), "```", "~~~", "$ ", "> x", "    y", "\ufeff", "\x1b[0m", "$ ssh n1", "exit"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES | st.text(max_size=40), max_size=30))
def test_every_line_is_accounted_for_once(lines: list[str]) -> None:
    document = Document("post.txt", "\n".join(lines).encode("utf-8", "surrogatepass"))
    found = read_evidence([document])
    states = account(document)
    unread = [i for p in found.unread for i in range(p.origin.first, p.origin.last + 1)]
    assert unread == [i for i, state in enumerate(states, 1) if state == LineState.UNREAD]
    understood = {p.origin.first for p in found.understood}
    assert understood == {i for i, state in enumerate(states, 1) if state == LineState.UNDERSTOOD}
    read = {i for i, state in enumerate(states, 1) if state == LineState.READ}
    covered = {i for c in found.captures for i in range(c.first, c.first + len(c.lines))}
    assert read <= covered
    assert not [fact for fact in found.facts if not isinstance(fact, Fact) or fact.origin.last > len(states)]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    assert isinstance(read_evidence([Document("x.txt", data), Document("ip-route.n1.txt", data)]), Evidence)
