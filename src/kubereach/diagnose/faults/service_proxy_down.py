"""kube-proxy or its replacement is not running or not syncing on the node.

What happens   The node keeps old rules or has none, so packets for the address are not translated.
How it looks   no virtual server or chain for the service on that node; curl to a ClusterIP fails there as well
Confirm        `curl -s localhost:10249/proxyMode` and kube-proxy's log on the node
Fix            restart kube-proxy, mend its configuration or its connection to the API server
Not to be confused with  address-not-programmed (the proxy works and lacks this one address)
References     kubernetes pkg/proxy
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes, on_nodes
from kubereach.model.attribute import PROXY_DOWN
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="service-proxy-down",
    class_="proxy-down",
    layer="service-proxy",
    owner=Owner.CLUSTER,
    prior=0.012,
    summary="kube-proxy (or its replacement) is not working on {name}",
)


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes(FAULT, entry_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {PROXY_DOWN.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {PROXY_DOWN.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"get kube-proxy working on {suspect.name}",
        commands=("kubectl -n kube-system get pods -o wide -l k8s-app=kube-proxy",),
    )
