"""observed.yaml: the outcomes of probes that a person saw and did not paste.

Reads: a list of `{probe, from, to, result}` with optional `at`, `note`, `given`, `time`, in flow or block style.
Ask: none; people write it.
Facts: ProbeResult with trust STATED.
Not read: entries whose probe or result is none of the known words, or that name no target.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubereach.evidence.capture import Capture
from kubereach.evidence.kubernetes.yaml_leaves import pairs, sequence_entries, text_of
from kubereach.evidence.reader import Reading, spans
from kubereach.model.address import canonical_address
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult, Trust

if TYPE_CHECKING:
    from yaml import Node

COMMANDS = (r"^(?:cat )?(?:\S{0,200}/)?observed\.ya?ml$",)
SIGNATURES = (
    r"- \{ ?probe: ?(?:ping|tcp|http|udp|arp|traceroute|capture|dns)\b",
    r"- probe: ?(?:ping|tcp|http|udp|arp|traceroute|capture|dns)\s*$",
)
ASKS = ()
_SYNONYMS = {"icmp": "ping", "https": "http", "curl": "http", "tracepath": "traceroute", "mtr": "traceroute"}
_KNOWN = frozenset({"probe", "from", "to", "result", "at", "note", "given", "time", "port", "protocol", "reason"})


def read(capture: Capture) -> Reading:
    """A capture of observed.yaml → facts; see the module's heading."""
    facts: list[ProbeResult] = []
    unread = {i for i, line in enumerate(capture.lines) if line.strip() and not line.lstrip().startswith(("#", "---"))}
    for start, end, entry in sequence_entries(capture.lines):
        fact = None if entry is None else _fact(capture, entry, start, end)
        if fact is not None:
            facts.append(fact)
            unread.difference_update(range(start, end))
    return Reading(tuple(facts), spans(unread))


def _fact(capture: Capture, entry: Node, start: int, end: int) -> ProbeResult | None:
    fields = {key: text_of(value) for key, value in pairs(entry)}
    probe = fields.get("probe", "").lower()
    probe, result = _SYNONYMS.get(probe, probe), fields.get("result", "").lower()
    target, port, name = _target(fields.get("to", ""))
    is_known = probe in set(ProbeKind) and result in set(Outcome) and fields.keys() <= _KNOWN
    if not is_known or not (target or name):
        return None
    if port is None and fields.get("port", "").isdecimal():
        port = int(fields["port"][:5])
    source = fields.get("from", "")
    return ProbeResult(
        origin=capture.origin(start, end),
        trust=Trust.STATED,
        taken=fields.get("time", "") or capture.taken,
        given=fields.get("given", ""),
        probe=ProbeKind(probe),
        source=canonical_address(source) or source,
        target=target,
        target_name=name,
        port=port,
        protocol=fields.get("protocol", "").upper() or ("UDP" if probe == "udp" else "TCP"),
        outcome=Outcome(result),
        at=fields.get("at", ""),
        reason=fields.get("reason", ""),
    )


def _target(text: str) -> tuple[str, int | None, str]:
    """`ADDR`, `ADDR:PORT`, `[ADDR6]:PORT`, `NAME` or `NAME:PORT` → address, port, name."""
    text = re.sub(r"^[a-z]{2,8}://", "", text.strip()).rstrip("/")
    whole = canonical_address(text)
    if whole is not None:
        return whole, None, ""
    match = re.fullmatch(r"(.{1,255}):(\d{1,5})", text)
    host, port = (match[1], int(match[2])) if match else (text, None)
    address = canonical_address(host)
    return (address, port, "") if address is not None else ("", port, host)
