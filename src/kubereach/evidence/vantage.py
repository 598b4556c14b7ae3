"""Where something ran, as far as names and role words tell it without reading a language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Latin and katakana spellings of words that technical people use untranslated. The more special role comes first.
_ROLES = (
    ("control-plane", r"master|control[- ]?plane|controlplane|マスター"),
    ("worker", r"worker|ワーカー"),
    ("gateway", r"gateway|ゲートウェイ"),
    ("router", r"router|mikrotik|routeros|ルーター?"),
    ("client", r"laptop|client|macbook|クライアント"),
    ("node", r"node|ノード|(?:k8s|k3s|kubernetes|cluster) (?:host|machine|server|vm)"),
)
# A separate word, where a digit after it (`worker1`, `node-2`) makes it a name.
_WORD = r"(?<![A-Za-z0-9_./-])(?:{0})s?(?![A-Za-z0-9_]|[-.]\w)"
ADDRESS = r"(?<![\w.:/-])(?:\d{1,3}\.){3}\d{1,3}(?![\w/-]|\.\d)"
# A role word with a number is a host's name in any language: `worker-1`, `k8s-master01`, `node2`.
_NUMBERED = (
    r"(?<![\w./@-])(?:[a-z][a-z0-9]{0,20}-){0,3}(?:node|worker|master|control-?plane|server)-?\d{1,4}(?![\w-]|\.\w)"
)
_PROBE_WORDS = r"\b(?:ping|curl|nmap|from|to|arping|traceroute|via|reach|access|tcpdump|telnet|ssh)\b"


def roles_in(text: str) -> set[str]:
    """The roles that `text` names; `node` only where nothing more special is named."""
    text = text[:600]
    found = {role for role, words in _ROLES if re.search(_WORD.format(words), text, re.IGNORECASE)}
    if found & {"control-plane", "worker"}:
        found.discard("node")
    if found == {"gateway", "router"}:
        found.discard("router")
    return found


def role_of_address(line: str) -> tuple[str, str] | None:
    """(address, role) that a line such as `# 10.0.0.1 is my default gateway` ties together, or None.

    The line must name one address and one role, look like a definition, and be no report of a test.
    """
    text = line.strip().lstrip("#/*- ").strip()
    if len(text) > 160 or text.count(".") + text.count(":") < 2:
        return None
    addresses = set(re.findall(ADDRESS, text))
    if len(addresses) != 1:
        return None
    address = addresses.pop()
    roles = roles_in(text)
    if len(roles) != 1 or re.search(_PROBE_WORDS, text, re.IGNORECASE):
        return None
    quoted = re.escape(address)
    defines = re.search(
        rf"{quoted}\s*(?:is\b|=|:|\(|->|は|-\s)|(?:=|:|->|\(|\bip\b|は)\s*{quoted}", text, re.IGNORECASE
    )
    return (address, roles.pop()) if defines or len(text.split()) <= 3 else None


def vantage_in(line: str, names: Iterable[str]) -> str | None:
    """The one host that a comment or heading names; "" when it names several; None when it names none."""
    text = line[:400]
    if re.search(ADDRESS, text):
        return None
    named = {name for name in names if name.lower() in text.lower() and _whole(name, text)}
    named.update(re.findall(_NUMBERED, text, re.IGNORECASE))
    if len(named) == 1:
        return named.pop()
    roles = roles_in(text)
    if len(named) > 1 or len(roles) > 1:
        return ""
    if not roles:
        return None
    role = roles.pop()
    return {"control-plane": "master", "gateway": "router"}.get(role, role)


def _whole(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text, re.IGNORECASE) is not None


def pod_nodes(lines: Sequence[str]) -> dict[str, str]:
    """Pod → node, from wide tables (`kubectl get pods -o wide`)."""
    found: dict[str, str] = {}
    column: int | None = None
    name_column = 0
    for line in lines:
        if len(line) > 2000 or not line:
            column = None
            continue
        if "NODE" in line and re.match(r"\s*(?:NAMESPACE\s+)?NAME\s.{0,400}\bIP\s{1,80}NODE\b", line):
            column = line.index(" NODE") + 1
            name_column = 1 if line.lstrip().startswith("NAMESPACE") else 0
            continue
        if column is not None and len(line) > column:
            words, node = line.split(None, 2), line[column:].split(None, 1)
            if len(words) == 3 and node and line[column - 1] == " ":
                found[words[name_column]] = node[0]
    return found


def host_names(lines: Sequence[str], prompts: Iterable[str]) -> frozenset[str]:
    """The machines that a document names: hosts of prompts, nodes of tables."""
    names = {host for host in prompts if host and "/" not in host and host not in {"client", "router"}}
    names.update(node for node in pod_nodes(lines).values() if node != "<none>")
    in_table = False
    for line in lines:
        if line.startswith("NAME ") and re.match(r"NAME\s+STATUS\s+ROLES\s", line):
            in_table = True
        elif in_table:
            match = re.match(r"([a-z0-9][\w.-]{0,80})\s+(?:Not)?Ready", line)
            in_table = match is not None
            if match:
                names.add(match[1])
    return frozenset(name for name in names if len(name) > 2)
