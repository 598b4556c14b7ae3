"""The clients' addresses are addresses of the node too, so that their packets have a source that is local."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import clients, name
from kubereach.lab.places import each_node as places

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    lab.sysctl(name(subject), "net.ipv4.conf.all.arp_ignore=1")  # it keeps them to itself
    for address in clients(lab):
        lab.run(name(subject), "ip", "address", "add", f"{address}/32", "dev", "lo")


def undo(lab: Lab, subject: str) -> None:
    for address in clients(lab):
        lab.run(name(subject), "ip", "address", "del", f"{address}/32", "dev", "lo")
    lab.sysctl(name(subject), "net.ipv4.conf.all.arp_ignore=0")
