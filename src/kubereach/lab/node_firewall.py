"""A host firewall that admits ssh and BGP from outside and nothing else, as firewalld or ufw leave a node."""

from __future__ import annotations

from collections.abc import Sequence

from kubereach.lab import filters
from kubereach.lab.lab import Lab

NEW = ("-i", "eth0", "-p", "tcp", "-m", "conntrack", "--ctstate", "NEW")
ADMITTED = ("-m", "multiport", "!", "--dports", "22,179")
CHAINS = (("INPUT", ADMITTED), ("FORWARD", ()))


def close(lab: Lab, host: str, verdict: Sequence[str], chains: Sequence[str] = ("INPUT", "FORWARD")) -> None:
    """Put the rules in front of all others; `verdict` is what becomes of everything else."""
    for chain, ports in CHAINS:
        if chain in chains:
            filters.put(lab, host, chain, *NEW, *ports, *verdict)


def open_again(lab: Lab, host: str, verdict: Sequence[str], chains: Sequence[str] = ("INPUT", "FORWARD")) -> None:
    """Take the rules out."""
    for chain, ports in CHAINS:
        if chain in chains:
            filters.take(lab, host, chain, *NEW, *ports, *verdict)
