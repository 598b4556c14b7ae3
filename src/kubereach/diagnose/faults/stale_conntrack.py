"""Stale conntrack or IPVS connection entries.

What happens   Entries made while the pod was away, or for a pod that is gone, catch the packets of flows that never
               end: UDP, or a client that keeps its source port.
How it looks   steady flows are lost after the pod was replaced, new ones work; entries [UNREPLIED] without translation
Confirm        `conntrack -L -d ADDRESS`: the reply's source is no pod of the service
Fix            delete the entries
Not to be confused with  address-not-programmed (new flows fail too)
References     kubernetes issues 103857, 105657; kubernetes pkg/proxy/conntrack
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import STALE_CONNTRACK
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="stale-conntrack",
    class_="proxy-stale-conntrack",
    layer="service-proxy",
    owner=Owner.CLUSTER,
    prior=Chance(0.001, "kube-proxy cleans up after UDP endpoints"),
    summary="stale connection entries on {name} catch the flow",
)


OVER_UDP = Chance(0.015, "UDP has no end of a flow, so an entry lives as long as the client goes on")


def suspects(world: World) -> Iterable[Suspect]:
    prior = OVER_UDP if world.network.flow.protocol == "UDP" else FAULT.prior
    yield from by_leaf(FAULT, world, affected_nodes(world), STALE_CONNTRACK, "entries outlived their pod", prior)


def apply(world: World, suspect: Suspect) -> Changes:
    return {STALE_CONNTRACK.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {STALE_CONNTRACK.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"delete the stale entries on {suspect.name}",
        commands=("conntrack -D -d ADDRESS -p udp   # without -p udp for all",),
        side_effects=("flows that are in use are set up anew",),
    )
