"""Chains of packet filter rules, and what they make of a packet as far as the rules that were shown tell.

A rule's match is true, false, or unknown where it asks for what nobody saw (a set's members, an interface). The result
is therefore the set of the verdicts that are possible. Order and jumps: iptables(8), nft(8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from kubereach.model.address import contains, parse_prefix

Verdicts = frozenset[str]  # of accept, drop, reject, return
MOST_JUMPS = 24
# Interfaces that no packet of an outside client, and none for a pod, passes.
FOREIGN = r"lo|docker0|br-[0-9a-f]{6,12}|virbr\d*|podman\d*|lxdbr\d*"
_ENDS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "reject", "RETURN": "return"}
_MARKED = "0x4000"  # kube-proxy's masquerade mark: its rules accept what bears it
# What kube-proxy refuses is no firewall's doing: simulate knows its rules.
_OF_THE_PROXY = re.compile(r"KUBE-(?:SERVICES|EXTERNAL-SERVICES|NODE-?PORTS?|PROXY-FIREWALL)$")
# Options that say nothing of whether a rule matches.
_SILENT = frozenset({"-m", "--comment", "--reject-with", "--log-prefix", "--log-level", "--limit-burst"})


class Probe(Struct, frozen=True):
    """The packet that is asked for; "" and None where its part is not known. `marked`: for masquerading.

    `device` is the interface that it comes in by.
    """

    source: str = ""
    destination: str = ""
    port: int | None = None
    state: str = "NEW"
    marked: bool = False
    device: str = ""


class Rule(Struct, frozen=True):
    """One rule: its conditions as the tool prints them, and its target: a verdict, a chain, or "" for none."""

    text: str
    target: str


class Chains(Struct, frozen=True):
    """Chains by name, and the policies of base chains."""

    rules: Mapping[str, tuple[Rule, ...]]
    policies: Mapping[str, str]

    def verdict(self, chain: str, probe: Probe) -> Verdicts:
        """What a base chain makes of the packet; its policy stands at the end, accept where none was shown."""
        found = self._through(chain, probe, 0)
        if "return" in found:
            return (found - {"return"}) | {self.policies.get(chain, "accept")}
        return found

    def _through(self, chain: str, probe: Probe, depth: int) -> Verdicts:
        rules = self.rules.get(chain)
        if rules is None or depth > MOST_JUMPS:
            return frozenset({"accept", "return"})  # a chain that was not shown
        possible: set[str] = set()
        for rule in rules:
            match = matches(rule.text, probe)
            if match is False or not rule.target:
                continue
            ends = _ENDS.get(rule.target.upper())
            outcome = frozenset({ends}) if ends else self._through(rule.target, probe, depth + 1)
            possible |= outcome - {"return"} if not ends else outcome
            if match is True and "return" not in outcome:
                return frozenset(possible)
            if match is True and ends == "return":
                return frozenset(possible)
        return frozenset(possible | {"return"})


def iptables_rule(text: str) -> Rule:
    """A rule in the words of iptables-save."""
    target = re.search(r"(?:^|\s)(?:-j|-g) (\S{1,60})", text)
    conditions = text[: target.start()] if target else text
    return Rule(" ".join(conditions.split()), _harmless(target[1]) if target else "")


def _harmless(target: str) -> str:
    """Targets that let the packet go on are no verdicts; kube-proxy's mark for dropping is one."""
    if target == "KUBE-MARK-DROP":
        return "DROP"
    if _OF_THE_PROXY.match(target):
        return ""
    return "" if target in {"LOG", "NFLOG", "MARK", "CONNMARK", "TCPMSS", "CT", "NOTRACK", "KUBE-MARK-MASQ"} else target


def nft_rule(text: str) -> Rule:
    """A rule in the words of nft."""
    bare = re.sub(
        r'\b(?:counter(?: packets \d{1,20} bytes \d{1,20})?|comment "[^"]{0,200}"|log(?: prefix "[^"]{0,120}")?)',
        "",
        text,
    )
    found = re.search(r"\b(accept|drop|return|reject\b.*|(?:jump|goto) (\S{1,200}))\s*$", " ".join(bare.split()))
    if found is None:
        return Rule(text, "")
    target = found[2] or found[1].split()[0].upper()
    return Rule(" ".join(bare.split())[: found.start()].strip(), target)


def matches(conditions: str, probe: Probe) -> bool | None:
    """Whether all conditions hold; None where one of them is not known to."""
    if not conditions:
        return True
    answers = [_option(name, value, probe, negated=negated) for name, value, negated in _options(conditions)]
    if not answers:
        answers = [_nft(conditions, probe)]
    if False in answers:
        return False
    return None if None in answers else True


def _options(text: str) -> list[tuple[str, str, bool]]:
    words = re.findall(r'"[^"]{0,300}"|\S{1,200}', text)
    found: list[tuple[str, str, bool]] = []
    negated = False
    for position, word in enumerate(words):
        if word == "!":
            negated = True
        elif re.match(r"--?[a-zA-Z]", word):
            value = words[position + 1] if position + 1 < len(words) else ""
            if value == "!":
                negated, value = True, words[position + 2] if position + 2 < len(words) else ""
            if word not in _SILENT:
                found.append((word, value, negated))
            elif word == "-m":
                found.append((word, value, False))
            negated = False
    return found


def _option(name: str, value: str, probe: Probe, *, negated: bool) -> bool | None:
    answer: bool | None
    if name == "-m":
        return True
    if name in {"-s", "--source", "-d", "--destination"}:
        answer = _address(value, probe.source if name in {"-s", "--source"} else probe.destination)
    elif name == "-i" and probe.device:
        answer = _device(value, probe.device)
    elif name in {"-i", "-o"}:
        answer = False if re.fullmatch(FOREIGN, value) else None
    elif name == "-p":
        answer = value in {"tcp", "6", "all"}
    elif name in {"--dport", "--dports"}:
        answer = _port(value.replace(":", "-"), probe.port)
    elif name in {"--ctstate", "--state"}:
        answer = probe.state in value.split(",")
    elif name == "--mark":
        answer = probe.marked if value.startswith(_MARKED) else None
    else:
        return None
    return (not answer) if negated and answer is not None else answer


def _device(pattern: str, device: str) -> bool:
    """iptables(8): a `+` at the end stands for any ending."""
    return device.startswith(pattern[:-1]) if pattern.endswith("+") else device == pattern


def _address(text: str, address: str) -> bool | None:
    prefix = text if "/" in text else f"{text}/{128 if ':' in text else 32}"
    if parse_prefix(prefix) is None:
        return None
    if prefix.endswith("/0"):
        return True
    return contains(prefix, address) if address else None


def _port(text: str, port: int | None) -> bool | None:
    if port is None:
        return None
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdecimal() and int(first) <= port <= int(last if last.isdecimal() else first):
            return True
    return False


_NFT_STATE = re.compile(r"\bct state (!= )?(?:\{ ?([a-z, ]{3,60}?) ?\}|([a-z,]{3,60}))")
_NFT_DEVICE = re.compile(r"\b([io])if(?:name)? (?:(!=) |== )?(?:\{ ?([^}]{1,200}?) ?\}|(\S{1,34}))")
_NFT_ADDRESS = re.compile(r"\bip6? ([sd])addr (?:(!=) |== )?(?:\{ ?([^}]{1,2000}?) ?\}|([0-9a-f.:/]{3,49}))")
_NFT_PORT = re.compile(r"\b(tcp|udp|th) dport (?:(!=) |== )?(?:\{ ?([\d, -]{1,300}?) ?\}|(\d{1,5}(?:-\d{1,5})?))")
_NFT_PROTOCOL = re.compile(r"\b(?:meta l4proto|ip protocol) (?:\{ ?([a-z0-9, -]{3,60}?) ?\}|([a-z0-9-]{3,12}))")
_NFT_OTHER = re.compile(r"\b(?:udp|icmp|icmpv6)\b")


def _nft(text: str, probe: Probe) -> bool | None:
    """One rule of nft: true where its text holds nothing but conditions that hold."""
    answers: list[bool | None] = []
    for pattern, judge in _NFT:
        answers += [judge(match, probe) for match in pattern.finditer(text)]
        text = pattern.sub("", text)
    if False in answers or _NFT_OTHER.search(text):
        return False
    return None if None in answers or text.strip() else True


def _nft_state(match: re.Match[str], probe: Probe) -> bool | None:
    answer = probe.state.lower() in re.split(r"[, ]+", match[2] or match[3])
    return answer != bool(match[1])


def _nft_device(match: re.Match[str], probe: Probe) -> bool | None:
    names = [name.strip('" ') for name in (match[3] or match[4]).split(",")]
    if match[1] == "o" or not probe.device:
        foreign = all(re.fullmatch(FOREIGN, name) for name in names)
        return bool(match[2]) if foreign else None
    return any(_device(name.replace("*", "+"), probe.device) for name in names) != bool(match[2])


def _nft_address(match: re.Match[str], probe: Probe) -> bool | None:
    address = probe.source if match[1] == "s" else probe.destination
    found = [_address(part.strip(), address) for part in (match[3] or match[4]).split(",")]
    answer = True if True in found else None if None in found else False
    return answer if answer is None else answer != bool(match[2])


def _nft_port(match: re.Match[str], probe: Probe) -> bool | None:
    answer = False if match[1] == "udp" else _port((match[3] or match[4]).replace(" ", ""), probe.port)
    return answer if answer is None else answer != bool(match[2])


def _nft_protocol(match: re.Match[str], _probe: Probe) -> bool | None:
    return bool({"tcp", "6"} & set(re.split(r"[, ]+", match[1] or match[2])))


_NFT = (
    (_NFT_STATE, _nft_state),
    (_NFT_DEVICE, _nft_device),
    (_NFT_ADDRESS, _nft_address),
    (_NFT_PORT, _nft_port),
    (_NFT_PROTOCOL, _nft_protocol),
)
