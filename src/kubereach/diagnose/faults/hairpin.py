"""A client that is itself a node or pod of the cluster is short-circuited or looped.

What happens   Nodes and pods meet the service's rules at once, and the way that works outside does not exist for them:
               a pod that reaches itself without hairpin, an eBPF datapath that drops them, another family of rules.
How it looks   works from outside and times out from nodes or pods, or from those of one node only
Confirm        the same connection from outside, and from a node without the pod
Fix            use the cluster's own address or name from inside; update the proxy
Not to be confused with  misread-same-node (the test is from inside, the clients are outside)
References     kubernetes issues 131765, 75262; cilium issue 45252
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import inside, tells
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import HAIRPIN, PROXY_PROTOCOL
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="hairpin",
    class_="proxy-hairpin",
    layer="service-proxy",
    owner=Owner.CLUSTER,
    prior=Chance(0.012, "asked only about clients inside the cluster; estimate"),
    summary="clients inside the cluster are short-circuited into a dead end",
)

WITH_HEADER = Chance(
    0.2, "where the PROXY header is demanded: kube-proxy short-circuits the address, past who would write it"
)


def suspects(world: World) -> Iterable[Suspect]:
    if not inside(world.network):
        return ()
    if world.network.seen("cluster", PROXY_PROTOCOL):
        where = world.network.origins("cluster", PROXY_PROTOCOL)[:1]
        because = tuple((o, "the pods demand the header that only the load balancer outside writes") for o in where)
        return (Suspect(fault=FAULT, subject="cluster", prior=WITH_HEADER, because=because),)
    return (Suspect(fault=FAULT, subject="cluster"),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {HAIRPIN.of("cluster"): True, **tells(world, "~proxy-protocol")}


def remove(world: World, suspect: Suspect) -> Changes:
    return {HAIRPIN.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="let clients inside the cluster use the service's cluster address",
        commands=("kubectl get service   # CLUSTER-IP, or the service's DNS name",),
    )
