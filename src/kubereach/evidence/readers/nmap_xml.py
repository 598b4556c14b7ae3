"""Port scans of nmap as XML: `nmap -oX -`.

Reads
    The elements of nmap's DTD, on lines of their own or all in one; entities and declarations are never expanded.
Ask
    nmap -n -Pn --reason -p PORT -oX - ADDRESS, from the client.
Facts
    Those of the plain form: one ProbeResult per port, a ping or ARP reply that made the host count as up, and one with
    port None for the ports that are only counted.
Not read
    Services, scripts, times, guesses about the operating system.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, vantage
from kubereach.model.address import canonical_address
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult

COMMANDS = (r"(?:^|[\s/])nmap\s(?:.*\s)?-oX\b",)
SIGNATURES = (
    r"<nmaprun\s",
    r"<!DOCTYPE nmaprun>",
    r'<port protocol="(?:tcp|udp|sctp)" portid="\d',
    r'<host(?:\s[a-z]{3,10}="\d{1,12}"){0,2}><status state="',
)
ASKS = (
    Ask(
        command="nmap -n -Pn --reason -p PORT -oX - ADDRESS",
        where="client",
        gives="whether the port answers, in a form for programs",
    ),
)

_OUTCOMES = {
    "open": Outcome.OPEN,
    "closed": Outcome.CLOSED,
    "filtered": Outcome.FILTERED,
    "closed|filtered": Outcome.FILTERED,
    "open|filtered": Outcome.TIMEOUT,
    "unfiltered": Outcome.REPLY,
}
_LONGEST = 100_000  # a scan of all ports on one line is longer; its rest is left unread


class _Host(Struct):
    """The host that the following elements are about."""

    address: str = ""
    name: str = ""
    mac: str = ""
    up: str = ""
    ttl: str = ""
    taken: str = ""


def read(capture: Capture) -> Reading:
    """The ports, and the lines that hold no XML of nmap."""
    host, port = _Host(), ("", "")
    facts: list[ProbeResult] = []
    unread: list[int] = []
    for index, line in enumerate(capture.lines):
        if not line.lstrip().startswith(("<", "-->")) or len(line) > _LONGEST:
            if not is_noise(line):
                unread.append(index)
            continue
        for name, values in _elements(line):
            port = _element(capture, index, host, name, values, port, facts)
    return Reading(tuple(facts), spans(unread))


def _elements(line: str) -> list[tuple[str, dict[str, str]]]:
    found = re.finditer(r"<(/?[a-z]{2,20})((?:\s{1,4}[a-z_-]{2,20}=\"[^\"<>]{0,300}\"){0,20})\s?/?>", line)
    return [(match[1], dict(re.findall(r"([a-z_-]{2,20})=\"([^\"<>]{0,300})\"", match[2]))) for match in found]


def _element(
    capture: Capture,
    index: int,
    host: _Host,
    name: str,
    values: dict[str, str],
    port: tuple[str, str],
    facts: list[ProbeResult],
) -> tuple[str, str]:
    """Takes one element into `host` and `facts`; the port (protocol, number) that is open after it."""
    if name == "host":
        host.address = host.name = host.mac = host.up = host.ttl = ""
    elif name == "status":
        host.up, host.ttl = f"{values.get('state', '')} {values.get('reason', '')}", values.get("reason_ttl", "")
    elif name == "address":
        _address(host, values)
    elif name == "hostname" and not host.name:
        host.name = values.get("name", "")
    elif name == "nmaprun":
        host.taken = values.get("startstr", "")
    elif name == "port":
        return values.get("protocol", "tcp"), values.get("portid", "")
    elif name in {"state", "extraports"}:
        facts.extend(_state(capture, index, host, values, port if name == "state" else ("tcp", "")))
    if name in {"ports", "hostnames", "/host"} and host.up:
        facts.extend(_alive(capture, index, host))
        host.up = ""
    return ("", "") if name == "/port" else port


def _address(host: _Host, values: dict[str, str]) -> None:
    if values.get("addrtype") == "mac":
        host.mac = values.get("addr", "").lower()
    else:
        host.address = canonical_address(values.get("addr", "")) or ""


def _state(
    capture: Capture, index: int, host: _Host, values: dict[str, str], port: tuple[str, str]
) -> list[ProbeResult]:
    outcome, number = _OUTCOMES.get(values.get("state", "")), port[1]
    if outcome is None or not host.address or (number and not (number.isdecimal() and int(number) < 65536)):
        return []
    kind = ProbeKind.UDP if port[0] == "udp" else ProbeKind.TCP
    reason = values.get("reason", "") or (values["state"] if "|" in values["state"] else "")
    return [
        _result(
            capture,
            index,
            host,
            kind,
            outcome,
            port=int(number) if number else None,
            protocol=port[0].upper() or "TCP",
            reason=reason,
            ttls=_ttls(values.get("reason_ttl", "")),
        )
    ]


def _alive(capture: Capture, index: int, host: _Host) -> list[ProbeResult]:
    state, _, reason = host.up.partition(" ")
    if state == "down":
        return [_result(capture, index, host, ProbeKind.PING, Outcome.TIMEOUT, protocol="ICMP", reason=reason)]
    if reason == "echo-reply":
        ttls = _ttls(host.ttl)
        return [_result(capture, index, host, ProbeKind.PING, Outcome.REPLY, protocol="ICMP", reason=reason, ttls=ttls)]
    if reason == "arp-response":
        return [_result(capture, index, host, ProbeKind.ARP, Outcome.REPLY, protocol="ARP", reason=reason)]
    return []


def _ttls(text: str) -> tuple[int, ...]:
    return (int(text),) if re.fullmatch(r"[1-9]\d{0,2}", text) else ()


def _result(
    capture: Capture,
    index: int,
    host: _Host,
    probe: ProbeKind,
    outcome: Outcome,
    *,
    port: int | None = None,
    protocol: str,
    reason: str = "",
    ttls: tuple[int, ...] = (),
) -> ProbeResult:
    return ProbeResult(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=host.taken or capture.taken,
        probe=probe,
        source=vantage(capture.host, ""),
        target=host.address,
        target_name=host.name,
        outcome=outcome,
        port=port,
        protocol=protocol,
        reason=reason,
        reply_ttls=ttls,
        macs=(host.mac,) if host.mac and probe is ProbeKind.ARP else (),
    )
