"""What programs list, one fact a line, so that rules can be compared: no counters, no order but that within a chain."""

from __future__ import annotations

import re
from collections.abc import Iterable

BUILT_IN = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}


def iptables(saved: str) -> list[str]:
    """iptables-save's output: every chain that a program made, then every rule."""
    table, facts = "", []
    for line in saved.splitlines():
        line = re.sub(r"^\[\d+:\d+\] ", "", line)
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":") and line[1:].split()[0] not in BUILT_IN:
            facts.append(f"{table} {line[1:].split()[0]}")
        elif line.startswith("-A "):
            chain, rule = line[3:].split(" ", 1)
            facts.append(f"{table} {chain}: {' '.join(rule.split())}")
    return _by_chain(facts)


def nft(ruleset: str) -> list[str]:
    """A table of the family ip as `nft list ruleset` prints it."""
    found = re.search(r"^table ip kube-proxy \{$(.*?)^\}$", ruleset, re.MULTILINE | re.DOTALL)
    assert found, "no table ip kube-proxy"
    text = re.sub(r",\s*\n\s*", ", ", found[1])
    facts = [f"table: {comment}" for comment in re.findall(r"^\t(comment .*)$", text, re.MULTILINE)]
    for name, body in re.findall(r"^\t((?:set|map|chain) \S+) \{$(.*?)^\t\}$", text, re.MULTILINE | re.DOTALL):
        facts.append(name)
        for line in filter(None, (line.strip() for line in body.splitlines())):
            elements = re.fullmatch(r"elements = \{ (.*) \}", line)
            facts += (
                [f"{name}: {element}" for element in sorted(elements[1].split(", "))]
                if elements
                else [f"{name}: {line}"]
            )
    return _by_chain(facts)


def ipset(listing: str) -> list[str]:
    """`ipset list`'s output, IPv4 sets alone: name and type, then the members."""
    facts = []
    for block in listing.split("\n\n"):
        fields = dict(re.findall(r"^(\w[\w ]*): (.*)$", block, re.MULTILINE))
        name, members = fields.get("Name", ""), block.partition("Members:\n")[2]
        if name.startswith("KUBE-") and not name.startswith("KUBE-6-"):
            range_or_family = re.match(r"(?:family \w+|range \S+)", fields["Header"])
            assert range_or_family
            facts.append(f"ipset {name}: {fields['Type']} {range_or_family[0]}")
            facts += [f"ipset {name}: {member}" for member in sorted(re.findall(r"^[\d.].*$", members, re.MULTILINE))]
    return _by_chain(facts)


def ipvsadm(listing: str) -> list[str]:
    """The virtual servers of `ipvsadm -Ln`, then each one's real servers."""
    virtual, facts = "", []
    for line in listing.splitlines():
        words = line.split()
        if words[:1] == ["TCP"]:
            virtual = words[1]
            facts.append(f"virtual server {virtual}: {' '.join(words[2:])}")
        elif words[:1] == ["->"] and virtual:
            facts.append(f"virtual server {virtual}: {' '.join(words[1:4])}")
    return _by_chain(facts)


def bound(listing: str) -> list[str]:
    """The addresses of kube-ipvs0 in `ip addr`'s output."""
    return sorted(f"kube-ipvs0: {address}" for address in re.findall(r"inet (\S+) scope global kube-ipvs0", listing))


def _by_chain(facts: Iterable[str]) -> list[str]:
    """Chain by chain; the order within one stays."""
    return sorted(facts, key=lambda fact: fact.partition(": ")[0])


def golden(text: str) -> list[str]:
    """The facts of a golden file, without its comment."""
    return [line for line in text.splitlines() if not line.startswith("#")]
