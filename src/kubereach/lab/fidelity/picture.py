"""One experiment as its client sees it: what the tools printed, beside what was predicted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubereach.evidence.pcap import lines_of_pcap
from kubereach.lab.fidelity.campaign import Outcome
from kubereach.lab.fidelity.experiment import Measurement
from kubereach.lab.fidelity.report import answers, asked

SHOWN = ("ping", "curl-0", "nmap")  # documents of the client, in the order in which people try
QUESTIONS = frozenset({"ping", "connect", "other_port", "next_hop", "reply_source", "reply_path", "capture"})
MOST_LINES = 8


def as_markdown(found: Measurement, outcome: Outcome) -> str:
    """The client's outputs, cut to their first lines, and the predictions of the same."""
    client = found.scenario.client
    documents = {output.name: output.data for output in found.after[client]}
    lines = [f"### {found.name}: what the client sees", "", " ".join(found.scenario.summary.split()), ""]
    for name in SHOWN:
        text = documents.get(f"{name}.client.txt", b"").decode("utf-8", "replace")
        lines += ["```console", *_telling(text), "```", ""]
    if answered := _answers_at(documents.get("tcpdump.client.pcap", b"")):
        lines += ["The client's own capture of what answers its SYN:", "", "```", *answered, "```", ""]
    lines += ["| question | predicted (probability) and seen | |", "|---|---|---|"]
    for finding in outcome.findings:
        if finding.client == client:
            for comparison in finding.comparisons:
                if comparison.question.kind in QUESTIONS:
                    mark = "agrees" if comparison.agrees else "differs" if comparison.decided else "open"
                    lines.append(f"| {asked(comparison)} | {answers(comparison).replace('|', 'and')} | {mark} |")
    return "\n".join([*lines, ""])


def _telling(text: str) -> list[str]:
    kept = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("Starting Nmap")]
    return kept[:MOST_LINES]


def _answers_at(capture: bytes) -> list[str]:
    """SYN-ACKs and what the client makes of them, without time stamps, each once."""
    return list(dict.fromkeys(_packets(lines_of_pcap(capture))))[:4] if capture else []


def _packets(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if re.search(r"Flags \[(?:S\.|R\.?)\]", line):
            shown = re.search(r"\S+ > \S+: Flags \[[^]]+\]", line)
            if shown:
                yield re.sub(r"\.\d{5}(?=[ :])", ".PORT", shown[0])
