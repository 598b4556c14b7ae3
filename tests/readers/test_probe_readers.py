"""Properties that every reader of a probe or a host command has, whatever it is fed."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.readers.goldens import capture_of, cases, misplaced, read
from tests.timing import spent

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask

READERS = (
    "cilium_bgp",
    "cilium_monitor",
    "cilium_services",
    "ip_rule",
    "nmap_xml",
    "nstat",
    "route_table",
    "sockets",
    "conntrack",
    "dig",
    "ip_addr",
    "ip_json",
    "ip_neigh",
    "mtr",
    "netcat",
    "sysctl",
    "test_net_connection",
    "arping",
    "curl",
    "ip_route",
    "ip_route_get",
    "ipvsadm",
    "nmap",
    "ping",
    "tcpdump",
    "traceroute",
)
PROSE = (
    "I configured BGP peering on the router and the address range is advertised.",
    "ping works, traceroute also shows the right answer",
    "And ping 10.60.0.5 and arping are both silent, curl hangs until the timeout.",
    "Port 80 is open according to nmap, the IP answers ping.",
    "default route via the firewall, as I said",
    "nginx情報の確認",
    "ロードバランサ IP を使用して外部からアクセスできない",
    "Как отладить? Почему я не могу получить доступ",
    "local 80% of the time",
    "",
)
LINES = st.lists(st.sampled_from([line for path in cases(*READERS) for line in capture_of(path).lines]), max_size=12)


def module(reader: str) -> ModuleType:
    return import_module(f"kubereach.evidence.readers.{reader}")


def check(reader: str, capture: Capture) -> None:
    reading = read(reader, capture)
    assert misplaced(reading, capture) == []
    end = capture.first + max(len(capture.lines), 1) - 1
    for fact in reading.facts:
        assert capture.first <= fact.origin.first <= fact.origin.last <= end
    msgspec.json.encode(reading)


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(max_size=400), command=st.text(max_size=60))
def test_any_text_is_read_without_an_error(reader: str, text: str, command: str) -> None:
    check(reader, Capture(source="x", lines=tuple(text.split("\n")), command=command))


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=LINES, first=st.integers(1, 900))
def test_any_mixture_of_known_lines_is_read_without_an_error(reader: str, lines: list[str], first: int) -> None:
    check(reader, Capture(source="x", lines=tuple(lines), first=first))


@pytest.mark.parametrize("path", cases(*READERS), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_capture_cut_at_any_byte_is_read_without_an_error(path: Path) -> None:
    whole = capture_of(path)
    text = "\n".join(whole.lines).encode()
    for length in range(0, len(text), max(1, len(text) // 400)):
        lines = tuple(text[:length].decode(errors="replace").split("\n"))
        check(path.parent.name, msgspec.structs.replace(whole, lines=lines))


@pytest.mark.parametrize("path", cases(*READERS), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_command_of_a_golden_leads_to_its_reader(path: Path) -> None:
    command = capture_of(path).command
    if command:
        assert any(re.search(form, command) for form in module(path.parent.name).COMMANDS)


@pytest.mark.parametrize("path", cases(*READERS), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_paste_without_a_command_is_recognised(path: Path) -> None:
    whole = capture_of(path)
    if whole.command:
        return
    signatures = module(path.parent.name).SIGNATURES
    assert any(re.match(form, line) for form in signatures for line in whole.lines)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("line", PROSE)
def test_prose_is_nobodys_signature(reader: str, line: str) -> None:
    assert not any(re.match(form, line) for form in module(reader).SIGNATURES)


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_has_its_parts(reader: str) -> None:
    found = module(reader)
    assert all(isinstance(ask, Ask) for ask in found.ASKS)
    assert found.ASKS
    for heading in ("Reads\n", "Ask\n", "Facts\n", "Not read\n"):
        assert f"\n{heading}" in (found.__doc__ or "")
    for form in (*found.COMMANDS, *found.SIGNATURES):
        re.compile(form)


@pytest.mark.parametrize("reader", READERS)
def test_a_hundred_thousand_lines_take_no_more_than_their_share(reader: str) -> None:
    known = [line for path in cases(reader) for line in capture_of(path).lines]
    nasty = ["a" * 3000, " " * 3000 + "x", "1 " * 1500, "(" * 1500, "64 bytes from " + "a." * 900, "x: " * 900]
    few, many, odd = (
        Capture(source="x", lines=lines)
        for lines in (
            tuple((known * (20_000 // len(known) + 1))[:20_000]),
            tuple((known * (100_000 // len(known) + 1))[:100_000]),
            tuple(nasty * 20),  # some 300,000 characters
        )
    )
    once = spent(lambda: read(reader, few), tries=2)
    assert spent(lambda: read(reader, many), tries=2) < 10 * once
    assert spent(lambda: read(reader, odd), tries=2) < 3 * once
