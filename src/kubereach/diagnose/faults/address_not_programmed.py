"""The node has no rule for the address.

What happens   The proxy works and does not program this address: ipMode Proxy, an option that leaves LoadBalancer
               addresses out, a device it does not cover, or a lagging sync.
How it looks   node port and cluster address work, the external address does not; packets loop between node and
               router
Confirm        the proxy's own table for the address on the entry node
Fix            enable LoadBalancer addresses in the proxy; check ipMode in the service's status
Not to be confused with  service-proxy-down (nothing works there)
References     kubernetes KEP-1860; kube-router --advertise and proxy options
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes, on_nodes
from kubereach.model.attribute import NOT_PROGRAMMED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="address-not-programmed",
    class_="proxy-lb-ip-not-programmed",
    layer="service-proxy",
    owner=Owner.CLUSTER,
    prior=0.01,
    summary="the service proxy on {name} has no rule for the address",
)


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes(FAULT, entry_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {NOT_PROGRAMMED.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {NOT_PROGRAMMED.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"have the proxy on {suspect.name} program the address",
        commands=("iptables-save | grep ADDRESS; ipvsadm -Ln | grep ADDRESS",),
    )
