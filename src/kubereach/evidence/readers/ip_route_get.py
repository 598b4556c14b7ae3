"""Which way the kernel would send a packet: `ip route get`.

Reads
    Answers for one or several addresses, with `from`, `iif` and `mark`, the cache line, and the kernel's refusals.
Ask
    ip route get ADDRESS, on any Linux host; with `from CLIENT iif INTERFACE` it tells what would happen to a packet
    that arrives there.
Facts
    One RouteLookup each. A refusal "Invalid cross-device link" is the reverse path filter's (rpf-fail); "Invalid
    argument" is a martian source when an input interface was named and a blackhole otherwise; "Network is unreachable"
    and "No route to host" are unreachable, "Permission denied" is prohibit. A learned redirect (`<redirected>`), and a
    router that would send one (`<redirect>`), give a LogEvent.
Not read
    The JSON form.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, words
from kubereach.model.address import canonical_address
from kubereach.model.fact import AnyFact, LogEvent, RouteLookup

COMMANDS = (r"(?:^|[\s/])ip(?:\s+-(?!j)\S{1,10}){0,5}\s+r(?:o|ou|out|oute)?\s+g(?:e|et)?\s",)
SIGNATURES = (
    (
        r"(?:(?:local|broadcast|multicast|unicast|unreachable|prohibit|"
        r"blackhole) )?[0-9a-fA-F.:]{3,45} .{0,200}\buid \d{1,10}\s*$"
    ),
    r"(?:local )?[0-9a-fA-F.:]{3,45} from [0-9a-fA-F.:]{3,45} (?:via|dev) \S",
    r"local [0-9a-fA-F.:]{3,45} dev lo table local ",
    r"\s{1,8}cache(?: (?:<[\w,-]{1,60}>|expires|iif|mtu|users|age|hoplimit)\b.{0,100})?\s*$",
    r"RTNETLINK answers: (?:Network is unreachable|Invalid cross-device link|No route to host)\s*$",
)
ASKS = (
    Ask(command="ip route get ADDRESS", where="node", gives="whether the node owns the address, or where it sends it"),
)

_KINDS = {"local": "local", "blackhole": "blackhole", "unreachable": "unreachable", "prohibit": "prohibit"}


def read(capture: Capture) -> Reading:
    """The lookups, and the lines that are not theirs."""
    facts: list[AnyFact] = []
    unread: list[int] = []
    last: RouteLookup | None = None
    for index, line in enumerate(capture.lines):
        line = line.strip()
        if lookup := _lookup(capture, index, line) or _refusal(capture, index, line):
            last = lookup
            facts.append(lookup)
        elif re.match(r"cache\b", line) and last is not None:
            facts.extend(_redirect(capture, index, line, last))
        elif not is_noise(line) and not re.match(r"cache\b|users \d|\d{1,3}sec", line):
            unread.append(index)
    return Reading(tuple(facts), spans(unread))


def _lookup(capture: Capture, index: int, line: str) -> RouteLookup | None:
    """`[TYPE] ADDRESS [from ADDRESS] [via ADDRESS] [dev NAME] … [src ADDRESS] [uid N]`; a prefix is no lookup."""
    form = (
        r"(?:(local|broadcast|multicast|unicast|anycast|unreachable|prohibit|blackhole|"
        r"throw) )?([0-9a-fA-F.:]{2,45})(?: (.{1,400}))?$"
    )
    match = re.match(form, line)
    address = canonical_address(match[2]) if match else None
    if match is None or address is None:
        return None
    fields = _fields((match[3] or "").split())
    listed = "proto" in fields or "scope" in fields or "metric" in fields
    if (listed and "uid" not in fields and "from" not in fields) or not (fields.get("dev") or match[1]):
        return None
    return RouteLookup(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        address=address,
        kind=_KINDS.get(match[1] or "", "unicast"),
        via=canonical_address(fields.get("via", "")) or "",
        interface=fields.get("dev", ""),
        preferred_source=canonical_address(fields.get("src", "")) or "",
        from_address=canonical_address(fields.get("from", "")) or "",
    )


def _fields(tokens: list[str]) -> dict[str, str]:
    """The values by their keywords; `via inet6 ADDRESS` has a word between."""
    fields: dict[str, str] = {}
    for key, value, after in zip(tokens, [*tokens[1:], ""], [*tokens[2:], "", ""], strict=False):
        if key in {"from", "via", "dev", "src", "uid", "proto", "scope", "metric", "iif"}:
            fields.setdefault(key, after if value in {"inet", "inet6"} else value)
    return fields


def _refusal(capture: Capture, index: int, line: str) -> RouteLookup | None:
    """The kernel's error for the address that the command names."""
    match = re.match(r"RTNETLINK answers: (.{1,60})$|Error: .{0,40}?(Network is unreachable|Invalid argument)", line)
    command = words(capture.command)
    asked = _fields(command)
    position = next((i for i, word in enumerate(command) if word in {"get", "g", "ge"}), len(command))
    named = [word for word in command[position + 1 :] if canonical_address(word.partition("/")[0])]
    if match is None or not named:
        return None
    kind = {
        "Invalid cross-device link": "rpf-fail",
        "Invalid argument": "martian" if asked.get("iif") else "blackhole",
        "Network is unreachable": "unreachable",
        "No route to host": "unreachable",
        "Permission denied": "prohibit",
    }.get(match[1] or match[2])
    if kind is None:
        return None
    return RouteLookup(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        address=canonical_address(named[0].partition("/")[0]) or "",
        kind=kind,
        interface="",
        from_address=canonical_address(asked.get("from", "")) or "",
    )


def _redirect(capture: Capture, index: int, line: str, lookup: RouteLookup) -> list[AnyFact]:
    """`<redirected>`: this host was told another next hop; `<redirect>`: this router would tell one."""
    event = re.search(r"<(?:[\w-]{1,20},){0,4}(redirect(?:ed)?)\b", line)
    if event is None:
        return []
    return [
        LogEvent(
            origin=capture.origin(index, index + 1),
            trust=capture.trust,
            taken=capture.taken,
            device=capture.host,
            program="ip-route-get",
            event=event[1],
            fields=(("address", lookup.address), ("via", lookup.via), ("interface", lookup.interface)),
        )
    ]
