"""The router's own firewall: the forward chain of a stateful router, as RouterOS's default configuration has it.

Accept established, related and untracked; drop invalid (MikroTik, "Building your first firewall").
"""

from __future__ import annotations

from kubereach.lab import xtables
from kubereach.lab.lab import Lab
from kubereach.lab.xtables import Table

TABLE = "inet router"

RULES = """
table inet router {
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related,untracked counter accept comment "accept established,related,untracked"
    ct state invalid counter drop comment "drop invalid"
  }
}
"""


# The same for a kernel without nf_tables.
CHAIN = "ROUTER-FORWARD"
ACCEPTED = "-m conntrack --ctstate RELATED,ESTABLISHED,UNTRACKED"
FILTER = Table(
    name="filter",
    jumps=(f"FORWARD -j {CHAIN}",),
    chains={
        CHAIN: [
            f'{ACCEPTED} -m comment --comment "accept established,related,untracked" -j ACCEPT',
            '-m conntrack --ctstate INVALID -m comment --comment "drop invalid" -j DROP',
        ]
    },
)


def stateful(lab: Lab) -> None:
    """The router drops what its connection table calls invalid, where the scenario's is stateful."""
    if xtables.prefix(lab, "router") == "iptables-legacy":
        wanted = FILTER if lab.scenario.router.stateful else Table(name=FILTER.name)
        xtables.apply(lab, "router", [wanted], CHAIN)
        return
    present = lab.run("router", "nft", "list", "table", *TABLE.split(), check=False).ok
    if lab.scenario.router.stateful and not present:
        lab.run("router", "nft", "-f", "-", stdin=RULES)
    elif present and not lab.scenario.router.stateful:
        lab.run("router", "nft", "delete", "table", *TABLE.split())
