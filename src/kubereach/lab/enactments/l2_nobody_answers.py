"""kube-vip puts the address on lo, and arp_ignore (kube-proxy's strictARP) forbids to answer for it elsewhere."""

from __future__ import annotations

from kubereach.lab import segment, system
from kubereach.lab.lab import Lab
from kubereach.lab.places import CLUSTER
from kubereach.lab.scenario import Scenario


def places(scenario: Scenario) -> tuple[str, ...]:
    """MetalLB's speakers answer by themselves, whatever the kernel's settings are."""
    return (CLUSTER,) if scenario.announcer.kind == "kube-vip-arp" else ()


def enact(lab: Lab, subject: str) -> None:
    _put_on(lab, "lo", ignore=1)


def undo(lab: Lab, subject: str) -> None:
    _put_on(lab, None, ignore=0)


def settled(lab: Lab, subject: str) -> bool:
    return not segment.answers(lab, lab.scenario.service.address)


def _put_on(lab: Lab, interface: str | None, *, ignore: int) -> None:
    lab.set_knobs({"announcer/interface": interface})
    for node in lab.scenario.nodes:
        lab.sysctl(node, f"net.ipv4.conf.eth0.arp_ignore={ignore}")
    system.sync(lab)
    segment.forget(lab, lab.scenario.service.address)
