from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubereach.evidence import indexing, readers, sniff


def test_the_index_repeats_the_readers() -> None:
    index = Path(next(iter(readers.__path__))) / "_index.py"
    assert index.read_text(encoding="utf-8") == indexing.render(indexing.build()), (
        "run `python -m kubereach.evidence.indexing`"
    )


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (r"Nmap scan report for \S+", "Nmap scan report for "),
        (r"(?:abc|def)ghi?", "gh"),
        (r"(?:long text)?ab", "ab"),
        (r"(?i)nmap", ""),
        (r"a+\d{2,}bcd(?=efgh)", "bcd"),
        (r"(x{0,3}yz){1,2}", "yz"),
        (r"[ab]\s", ""),
    ],
)
def test_needed_text(pattern: str, needed: str) -> None:
    assert indexing.needed_text(pattern) == needed


def test_every_expression_compiles_and_is_anchored_by_its_text() -> None:
    for _, commands, signatures in sniff.index():
        for pattern, needed in (*commands, *signatures):
            re.compile(pattern)
            assert needed == indexing.needed_text(pattern)


PROSE = (
    "I have set up a cluster with three nodes, and the service has an external IP of 10.9.0.1.",
    "Ich komme von außen nicht an den Dienst, obwohl ping geht.",
    "クラスターの外からサービスにアクセスできません。ping は通ります。",
    "Кластер работает, но снаружи сервис не отвечает.",
    "EDIT: solved, the router had a stale route. Thanks!",
    "1. check the speaker logs",
    "- MetalLB 0.13.12 in layer 2 mode",
    "The pool is 10.9.0.0/28 and the router is 192.168.7.1",
    "Any idea what is wrong?",
    "Update 1:",
    "Name: Kim",
    "Hello, ",
)


@pytest.mark.parametrize("line", PROSE)
def test_no_signature_knows_prose(line: str) -> None:
    assert sniff.Recogniser(line).readers(line) == ()
