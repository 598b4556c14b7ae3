"""The host's firewall rejects new connections with an ICMP administratively prohibited, as firewalld does."""

from __future__ import annotations

from kubereach.lab import node_firewall
from kubereach.lab.lab import Lab
from kubereach.lab.places import each_node as places
from kubereach.lab.places import name

__all__ = ["enact", "places", "undo"]
VERDICT = ("-j", "REJECT", "--reject-with", "icmp-admin-prohibited")


def enact(lab: Lab, subject: str) -> None:
    node_firewall.close(lab, name(subject), VERDICT)


def undo(lab: Lab, subject: str) -> None:
    node_firewall.open_again(lab, name(subject), VERDICT)
