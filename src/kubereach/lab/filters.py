"""Rules of iptables that an enactment puts in front of all others, and takes out again."""

from __future__ import annotations

from kubereach.lab.lab import Lab

MARK = ("-m", "comment", "--comment", "site rule")


def put(lab: Lab, host: str, chain: str, *rule: str, table: str = "filter") -> None:
    """Insert a rule at the head of a chain."""
    lab.run(host, "iptables", "-w", "-t", table, "-I", chain, *MARK, *rule)


def take(lab: Lab, host: str, chain: str, *rule: str, table: str = "filter") -> None:
    """Delete the rule that `put` inserted."""
    lab.run(host, "iptables", "-w", "-t", table, "-D", chain, *MARK, *rule)
