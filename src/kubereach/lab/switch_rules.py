"""What a switch or hypervisor drops: rules of nftables' bridge family on the lab's switch."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.wiring import SWITCH


def put(lab: Lab, table: str, *rules: str) -> None:
    """Drop the frames that one of `rules` matches, in a table of its own."""
    lines = "\n".join(f"    {rule} counter drop" for rule in rules)
    text = f"table bridge {table} {{\n  chain forward {{\n    type filter hook forward priority 0;\n{lines}\n  }}\n}}\n"
    lab.run(SWITCH, "nft", "-f", "-", stdin=text)


def take(lab: Lab, table: str) -> None:
    """Take the table away."""
    lab.run(SWITCH, "nft", "delete", "table", "bridge", table)
