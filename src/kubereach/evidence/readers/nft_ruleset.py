"""Packet filter rules of nftables.

Reads: `nft list ruleset`, `nft list table …`, `nft list chain …`.
Ask: `nft list ruleset` on the node, as root.
Facts: Setting of `node/HOST`: `nft.FAMILY.TABLE.CHAIN[N]` per rule; `….CHAIN.policy` and `….CHAIN.hook` ("forward
filter") of a base chain; `nft.FAMILY.TABLE.SET` per element of a set or map.
Not read: counters, flags and types of sets, comments of tables.

Format: nft(8); nftables src/rule.c chain_print_declaration, set_print.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.fact import Setting

COMMANDS = (r"^(?:\S*/)?nft\s(?:.*\s)?list\s+(?:ruleset|tables?|chains?|sets?|maps?)\b",)
SIGNATURES = (
    r"table (?:ip6?|inet|arp|bridge|netdev) [\w.-]{1,60} \{",
    r"\s+type (?:filter|nat|route) hook \w{5,12} (?:device \S{1,34} )?priority .{1,30};",
)
ASKS = (
    Ask(
        command="nft list ruleset",
        where="node",
        privilege="root",
        gives="what the node does with the packet when kube-proxy or firewalld uses nftables",
    ),
)

_DECLARATION = r"\s*(?:type|typeof|flags|size|timeout|gc-interval|auto-merge|comment|policy|counter packets|expires)\b"


class _State(Struct):
    """Where the reader is: the open table, the open object in it, and how many rules each chain has had."""

    table: str = ""
    kind: str = ""
    name: str = ""
    elements: bool = False
    count: int = 0
    found: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, index: int, suffix: str, value: str) -> None:
        """A setting of the open object."""
        self.found.append((index, f"nft.{self.table}.{self.name}{suffix}", value))


def read(capture: Capture) -> Reading:
    """The rules, policies and set elements of a ruleset."""
    state = _State()
    unread = [index for index, line in enumerate(capture.lines) if line.strip() and not _line(index, line, state)]
    host = capture.host
    plain = host and "/" not in host and host not in {"router", "client", "outside"}
    facts = tuple(
        Setting(
            origin=capture.origin(index, index + 1),
            trust=capture.trust,
            taken=capture.taken,
            subject=f"node/{host}" if plain else host,
            attribute=attribute,
            value=value,
        )
        for index, attribute, value in state.found
    )
    return Reading(facts=facts, unread=spans(unread))


def _line(index: int, line: str, state: _State) -> bool:
    """Takes one line; False when it does not belong to a ruleset."""
    text = line.strip()
    table = re.match(r"table (ip6?|inet|arp|bridge|netdev) ([^\s{]{1,60}) \{(?: # .*)?$", text)
    if table:
        state.table, state.kind, state.name, state.elements = f"{table[1]}.{table[2]}", "", "", False
        return True
    if not state.table:
        return re.match(r"# Warning: table .{1,80} is managed by iptables", text) is not None
    if not state.kind:
        return _between(text, state)
    if state.elements:
        _elements(index, text, state)
        return True
    if text == "}" or re.match(r"\}\s*(?:#.*)?$", text):
        state.kind = state.name = ""
        return True
    return _body(index, text, state)


def _between(text: str, state: _State) -> bool:
    """A line of a table outside its chains and sets."""
    opened = re.match(
        r"(chain|set|map|flowtable|counter|limit|quota|ct helper|meter) ([^\s{]{1,200}) \{(?: # .*)?$", text
    )
    if opened:
        state.kind, state.name, state.count = opened[1], opened[2], 0
        return True
    if text == "}":
        state.table = ""
        return True
    return text.startswith(("comment ", "flags ", "#"))


def _body(index: int, text: str, state: _State) -> bool:
    """A line inside a chain, set or map."""
    if state.kind != "chain":
        if text.startswith("elements = {"):
            state.elements = True
            _elements(index, text.removeprefix("elements = {"), state)
            return True
        return re.match(_DECLARATION, text) is not None or state.kind not in {"set", "map"}
    base = re.match(
        r"type \w{2,8} hook (\w{3,14}) (?:device \S{1,40} )?priority ([^;]{1,40});(?: policy (\w{4,8});)?", text
    )
    if base:
        state.add(index, ".hook", f"{base[1]} {base[2].strip()}")
        if base[3]:
            state.add(index, ".policy", base[3])
    elif not text.startswith(("comment ", "#")) and not re.match(r"policy \w{4,8};$", text):
        rule = re.sub(
            r"\bcounter packets \d{1,20} bytes \d{1,20}\s?|\s?# handle \d{1,9}$", "", " ".join(text.split())
        ).strip()
        state.add(index, f"[{state.count}]", rule)
        state.count += 1
    return True


def _elements(index: int, text: str, state: _State) -> None:
    """Elements up to the closing brace; commas inside quotes are part of a comment."""
    body, closed = (text[:-1], True) if text.endswith("}") else (text, False)
    for part in re.findall(r'(?:"[^"]*"|[^,"])+', body):
        if part.strip():
            state.add(index, "", " ".join(part.split()))
    state.elements = not closed
