"""The iptables rules of one program on a host: put in place at once, brought in line, and taken away whole.

A program owns the chains that its pattern matches, and the rules of other chains that jump to them. Rules are written
as `iptables-save` prints them, so that what is there can be compared with what is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from kubereach.lab.lab import Lab


class Table(Struct, frozen=True, kw_only=True):
    """What a program wants in one table.

    `jumps` go at the top of other chains (`INPUT -j X`, topmost first), before all others if `topmost`; `tails` at
    their ends; `retired` are former tails to be taken away.
    """

    name: str
    jumps: tuple[str, ...] = ()
    chains: Mapping[str, Sequence[str]] = {}
    topmost: bool = False
    tails: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()


def restore_text(tables: Iterable[Table], saved: str, owned: str) -> str:
    """The text for `iptables-restore --noflush` that makes `tables` of what `iptables-save` printed.

    Chains that match the pattern `owned` and are not wanted go, and so do jumps to them.
    """
    there = _parse(saved)
    return "".join(_table(table, there.get(table.name, []), re.compile(owned)) for table in tables)


def _parse(saved: str) -> dict[str, list[str]]:
    """iptables-save's output as lines by table."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in saved.splitlines():
        if line.startswith("*"):
            lines = found.setdefault(line[1:].strip(), [])
        elif line.startswith((":", "-A ")):
            lines.append(line)
    return found


def _table(table: Table, lines: Sequence[str], owned: re.Pattern[str]) -> str:
    chains = [line[1:].split()[0] for line in lines if line.startswith(":")]
    rules = [line.removeprefix("-A ") for line in lines if line.startswith("-A ")]
    jumps = [r for r in rules if not owned.fullmatch(r.split()[0]) and owned.fullmatch(_target(r))]
    stale = [chain for chain in chains if owned.fullmatch(chain) and chain not in table.chains]
    misplaced = _misplaced(table, rules) if table.topmost else []
    kept = [rule for rule in jumps if rule in table.jumps and rule not in misplaced]
    return "\n".join(
        [
            f"*{table.name}",
            *(f":{chain} - [0:0]" for chain in (*table.chains, *stale)),
            *(f"-D {rule}" for rule in (*jumps, *table.retired) if rule in rules and rule not in kept),
            *(f"-I {rule}" for rule in reversed(table.jumps) if rule not in kept),
            *(f"-A {rule}" for rule in table.tails if rule not in rules),
            *(f"-A {chain} {rule}" for chain, wanted in table.chains.items() for rule in wanted),
            *(f"-X {chain}" for chain in stale),
            "COMMIT",
            "",
        ]
    )


def _misplaced(table: Table, rules: Sequence[str]) -> list[str]:
    """The jumps of the chains in which others stand in front of them."""
    found: list[str] = []
    for chain in dict.fromkeys(jump.split()[0] for jump in table.jumps):
        wanted = [jump for jump in table.jumps if jump.split()[0] == chain]
        if [rule for rule in rules if rule.split()[0] == chain][: len(wanted)] != wanted:
            found += wanted
    return found


def _target(rule: str) -> str:
    found = re.search(r" -[jg] (\S+)", rule)
    return found[1] if found else ""


def prefix(lab: Lab, host: str) -> str:
    """`iptables`, or `iptables-legacy` where the host's kernel has no nf_tables for IPv4."""
    # Only checked, not committed: the kernel says whether it could make the table, and makes none.
    return (
        "iptables" if lab.run(host, "nft", "-c", "add", "table", "ip", "probe", check=False).ok else "iptables-legacy"
    )


def apply(lab: Lab, host: str, tables: Sequence[Table], owned: str) -> None:
    """Make the rules of the program that owns the chains `owned` those of `tables`. Raises CommandError."""
    program = prefix(lab, host)
    saved = lab.run(host, f"{program}-save", merge=False).out
    lab.run(host, f"{program}-restore", "--noflush", "-w", "5", stdin=restore_text(tables, saved, owned))


def remove(lab: Lab, host: str, tables: Sequence[Table], owned: str) -> None:
    """Take away the chains `owned` of the tables, every jump to them, and the tails. Raises CommandError."""
    apply(lab, host, [Table(name=table.name, retired=table.tails) for table in tables], owned)
