"""kube-proxy's mode iptables: the chains of v1.36, and up to v1.23 those of v1.20.

v1.24, the first with KUBE-EXT, is written as v1.36, although it marked for kubelet to drop what v1.25 drops itself.
"""

from __future__ import annotations

from kubereach.lab import xtables
from kubereach.lab.kube_proxy import health, iptables_ext, iptables_xlb
from kubereach.lab.lab import Lab
from kubereach.lab.scenario import Scenario
from kubereach.lab.xtables import Table

OWNED = "KUBE-.*"


def sync(lab: Lab, node: str) -> None:
    """Write the node's rules. Raises CommandError."""
    lab.sysctl(node, "net.ipv4.conf.all.route_localnet=1")  # localhostNodePorts, the default
    xtables.apply(lab, node, tables(lab.scenario, node), OWNED)
    health.sync(lab, node)


def clear(lab: Lab, node: str) -> None:
    """Take all of them away. Raises CommandError."""
    xtables.remove(lab, node, tables(lab.scenario, node), OWNED)
    health.clear(lab, node)


def tables(scenario: Scenario, node: str) -> list[Table]:
    """The rules of a node, in the form of the scenario's version."""
    if scenario.proxy.minor >= iptables_ext.FIRST:
        return iptables_ext.tables(scenario, node)
    return iptables_xlb.tables(scenario, node)
