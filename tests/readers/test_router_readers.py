"""Router, BGP, firewall and log readers under text that nobody meant for them."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.readers.goldens import capture_of, cases, misplaced, read
from tests.timing import spent

from kubereach.evidence.capture import Capture

READERS = (
    "bird_log",
    "bird_protocols",
    "bird_route",
    "calicoctl_status",
    "component_log",
    "dmesg",
    "frr_bgp_neighbor",
    "frr_bgp_summary",
    "frr_bgp_table",
    "frr_route",
    "iptables_save",
    "metallb_log",
    "nft_ruleset",
    "routeros_arp",
    "routeros_bgp",
    "routeros_firewall",
    "routeros_route",
    "vendor_arp",
    "vendor_route",
)
CASES = cases(*READERS)
LINES = sorted({line for path in CASES for line in capture_of(path).lines if line.strip()})
COMMANDS = sorted({capture_of(path).command for path in CASES})
# What a catastrophic expression would choke on: long runs of what repetitions accept, with an end they do not.
RUNS = (" ", "\t", "1", "a", "A ", "1.", "1 ", "a=", '"', "\\", "|", "-", "*>", "[", "via ", "192.0.2.1 ", "{", "A - ")
HOSTILE = [
    run * (size // len(run)) + end for size in (1_900, 20_000) for run in RUNS for end in ("", "\u00a7", "=x", "}")
]

fragments = st.one_of(
    st.sampled_from(LINES),
    st.sampled_from(LINES).flatmap(lambda line: st.integers(0, len(line)).map(lambda at: line[:at])),
    st.tuples(st.sampled_from(LINES), st.sampled_from(LINES)).map(lambda two: two[0][: len(two[0]) // 2] + two[1]),
    st.text(max_size=80).map(lambda text: text.replace("\n", " ")),
)


def check(reader: str, capture: Capture) -> None:
    reading = read(reader, capture)
    assert not misplaced(reading, capture)
    end = capture.first + max(len(capture.lines), 1)
    for fact in reading.facts:
        assert capture.first <= fact.origin.first <= fact.origin.last < end
    assert all(any(capture.lines[at].strip() for at in range(*span)) for span in reading.unread)


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=60, deadline=None)
@given(lines=st.lists(fragments, max_size=25), command=st.sampled_from(COMMANDS), host=st.sampled_from(["", "rack-a"]))
def test_any_text_gives_a_reading(reader: str, lines: list[str], command: str, host: str) -> None:
    check(reader, Capture(source="x", lines=tuple(lines), command=command, host=host))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_capture_cut_within_a_line_is_read(path: Path) -> None:
    whole = capture_of(path)
    text = "\n".join(whole.lines)
    for length in range(0, len(text), 7):
        check(path.parent.name, msgspec.structs.replace(whole, lines=tuple(text[:length].split("\n"))))


def ordinary(reader: str, characters: int) -> Capture:
    """What the reader's own programs print, repeated up to `characters`."""
    captures = [capture_of(path) for path in cases(reader)]
    lines = [line for capture in captures for line in capture.lines]
    times = characters // (sum(map(len, lines)) + len(lines)) + 1
    return Capture(source="x", lines=tuple(lines * times), command=captures[0].command)


@pytest.mark.parametrize("reader", READERS)
def test_a_long_line_takes_no_longer_than_ordinary_text_ten_times_its_length(reader: str) -> None:
    longest = max(HOSTILE, key=len)
    pace = spent(lambda: read(reader, ordinary(reader, 20 * len(longest))))
    for command in ("", *(capture_of(path).command for path in cases(reader)[:1])):
        for line in HOSTILE:
            capture = Capture(source="x", lines=(line, line), command=command)
            assert spent(partial(check, reader, capture), tries=1) < pace or (
                spent(partial(check, reader, capture)) < pace
            ), line[:20]


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_many_lines_take_linear_time(path: Path) -> None:
    whole = capture_of(path)
    captures = [
        msgspec.structs.replace(whole, lines=(whole.lines * (count // len(whole.lines) + 1))[:count])
        for count in (5_000, 20_000)
    ]
    captures.append(ordinary(path.parent.name, 100_000))  # what is refused at once is not measured by its noise
    few, many, pace = (spent(partial(read, path.parent.name, capture), tries=2) for capture in captures)
    assert many < 8 * few + pace


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_has_its_headings(reader: str) -> None:
    module = __import__(f"kubereach.evidence.readers.{reader}", fromlist=["read"])
    for heading in ("Reads: ", "Ask: ", "Facts: ", "Not read: "):
        assert heading in str(module.__doc__)
    assert module.ASKS


PROSE = (
    "I set up BGP on my router and the range is announced, but nothing works.",
    "As 10.0.0.0/8 is our supernet, we carved 10.40.0.0/26 out of it for services.",
    "the pool 10.40.0.0/26 is reachable from my laptop but the service is not",
    "10.40.0.0/26 unreachable today, yesterday it was fine",
    "A 10.40.0.0/26 network is announced by the cluster via BGP",
    "10.40.0.0/26 via our new router, which is a MikroTik",
    "10.40.0.0/26 via 192.168.7.21 dev eth0 proto bird",
    "B 10.40.0.0/26 is what I want to see on the router",
    "Chain of events: the node drops, then accepts again",
    "ルーターに 10.40.0.0/26 が表示されます",
    "tcp 0 0 0.0.0.0:179 0.0.0.0:* LISTEN",
    "default via 192.168.7.1 dev eth0 proto dhcp metric 100",
    "name: default",
    "  - action: Reject",
)


@pytest.mark.parametrize("line", PROSE)
@pytest.mark.parametrize("reader", READERS)
def test_prose_is_nobodys_format(reader: str, line: str) -> None:
    module = __import__(f"kubereach.evidence.readers.{reader}", fromlist=["read"])
    assert not [pattern for pattern in module.SIGNATURES if re.match(pattern, line)]
    assert not [pattern for pattern in module.COMMANDS if re.search(pattern, line)]


@pytest.mark.parametrize(
    "line",
    [
        "10.40.0.0/26 reachable through bridge",
        "10.40.0.0/26 reachable via 192.168.7.21",
        "10.40.0.0/26 is reachable via bridge-lan",
        "- 10.40.0.0/26 reachable ether2.",
        "1 ADb 10.40.0.0/26 192.168.7.21 20",
        "  DAb  10.40.0.0/26  192.168.7.21  main  20",
        "10.40.0.0/26 via 192.168.7.21 bgp",
        "10.40.0.0/26 gateway 192.168.7.21",
        "dst-address=10.40.0.0/26 gateway=192.168.7.21",
    ],
)
def test_a_typed_router_line_is_recognised_and_read(line: str) -> None:
    module = __import__("kubereach.evidence.readers.routeros_route", fromlist=["read"])
    assert any(re.match(pattern, line) for pattern in module.SIGNATURES)
    capture = Capture(source="x", lines=("I saw this:", line, "and nothing else"))
    reading = read("routeros_route", capture)
    assert [fact.origin.first for fact in reading.facts] == [2]
    assert reading.unread == ((0, 1), (2, 3))
    assert getattr(reading.facts[0], "device") == "router"  # noqa: B009 - the union of facts has no such field


def complete(reader: str, capture: Capture) -> bool:
    return any(getattr(fact, "complete", False) for fact in read(reader, capture).facts)


TABLES = [path for path in CASES if complete(path.parent.name, capture_of(path)) and path.stem != "json"]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_row_that_is_not_understood_leaves_no_listing_complete(path: Path) -> None:
    whole = capture_of(path)
    facts = [fact for fact in read(path.parent.name, whole).facts if not hasattr(fact, "complete")]
    for fact in facts:
        at = fact.origin.first - whole.first
        mangled = (*whole.lines[:at], "\u00a7 " * 9 + whole.lines[at], *whole.lines[at + 1 :])
        assert not complete(path.parent.name, msgspec.structs.replace(whole, lines=mangled)), whole.lines[at]


@pytest.mark.parametrize("other", ["ios", "nxos", "eos"])
def test_another_vendors_table_gives_no_complete_listing(other: str) -> None:
    capture = capture_of(next(path for path in CASES if path.stem == other))
    reading = read("frr_route", capture)
    assert not any(hasattr(fact, "complete") for fact in reading.facts)
    assert not [fact for fact in reading.facts if getattr(fact, "prefix", "") == "10.40.0.5/32"]
