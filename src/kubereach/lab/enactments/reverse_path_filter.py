"""The node's routes to the clients leave by a second interface, and rp_filter is strict."""

from __future__ import annotations

from kubereach.lab import second_nic
from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name

__all__ = ["enact", "places", "undo"]


def enact(lab: Lab, subject: str) -> None:
    second_nic.add(lab, name(subject))
    lab.sysctl(name(subject), "net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.eth0.rp_filter=1")


def undo(lab: Lab, subject: str) -> None:
    lab.sysctl(name(subject), "net.ipv4.conf.all.rp_filter=2", "net.ipv4.conf.eth0.rp_filter=2")
    second_nic.remove(lab, name(subject))
