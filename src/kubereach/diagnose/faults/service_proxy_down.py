"""kube-proxy or its replacement is not running or not syncing on the node.

What happens   The node keeps old rules or has none, so packets for the address are not translated.
How it looks   no virtual server or chain for the service on that node; node ports and cluster addresses fail there as
               well, also from the node itself
Confirm        `curl -s localhost:10249/proxyMode` and kube-proxy's log on the node
Fix            restart kube-proxy, mend its configuration or its connection to the API server
Not to be confused with  address-not-programmed (the proxy works and lacks this one address)
References     kubernetes pkg/proxy
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, tells
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import PROXY_DOWN
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="service-proxy-down",
    class_="proxy-down",
    layer="service-proxy",
    owner=Owner.CLUSTER,
    prior=Chance(0.01, "the whole cluster suffers, so it is found sooner"),
    summary="kube-proxy (or its replacement) is not working on {name}",
)


def suspects(world: World) -> Iterable[Suspect]:
    return by_leaf(FAULT, world, affected_nodes(world, PROXY_DOWN), PROXY_DOWN, "its pod does not run")


def apply(world: World, suspect: Suspect) -> Changes:
    slugs = ("failed-to-list", "connection-refused", "sync-failed", "iptables-restore-failed", "~command-failed")
    return {PROXY_DOWN.of(suspect.subject): True, **tells(world, *slugs)}


def remove(world: World, suspect: Suspect) -> Changes:
    return {PROXY_DOWN.of(suspect.subject): False, PROXY_DOWN.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"get kube-proxy working on {suspect.name}",
        commands=("kubectl -n kube-system get pods -o wide -l k8s-app=kube-proxy",),
    )
