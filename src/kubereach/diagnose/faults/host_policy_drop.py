"""A host endpoint, global or host policy of the CNI drops host or forwarded traffic.

What happens   Calico's HostEndpoint denies all but the failsafe ports where no policy admits more, and policies with
               preDNAT or applyOnForward meet service traffic; Cilium's host policies do the same by nodeSelector.
How it looks   a capture sees the SYN and nothing answers; ssh and the API server still work
Confirm        `calicoctl get hostendpoints -o wide`, `kubectl get ciliumclusterwidenetworkpolicies`
Fix            admit the service's ports in a policy for the host, before DNAT where the original port counts
Not to be confused with  host-firewall-drop (no rule of the CNI), network-policy-drop (laid on the pod)
References     Calico host endpoints, failsafe ports; Cilium host policies
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, everywhere_too, exposed, seen_of, tells
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import HOST_ENDPOINT_DROP, HOST_POLICIES
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="host-policy-drop",
    class_="policy-calico-host-endpoint",
    layer="policy",
    owner=Owner.CLUSTER,
    prior=Chance(0.003, "estimate: few clusters have policies for hosts"),
    summary="a policy of the CNI for the host keeps the packets out at {name}",
)


ODDS: dict[object, Chance] = {
    True: Chance(0.2, "where host endpoints or host policies are in place"),
    False: Chance(0.0, "where a complete list shows none"),
}


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    if not world.network.stack & {"calico", "cilium"} and world.network.seen("cluster", HOST_POLICIES) is None:
        return
    nodes = affected_nodes(world, HOST_ENDPOINT_DROP)
    decided = [n for n in nodes if seen_of(world, n, HOST_ENDPOINT_DROP)]
    yield from by_leaf(FAULT, world, decided, HOST_ENDPOINT_DROP, "the policy's rules refuse the client")
    yield from exposed(
        FAULT,
        world,
        [n for n in nodes if n not in decided],
        HOST_POLICIES,
        ODDS,
        "host endpoints or policies for hosts exist",
    )


def apply(world: World, suspect: Suspect) -> Changes:
    return {HOST_ENDPOINT_DROP.of(suspect.subject): True, **tells(world, "policy-denied", "policy-deny")}


def remove(world: World, suspect: Suspect) -> Changes:
    return {HOST_ENDPOINT_DROP.of(suspect.subject): False, HOST_ENDPOINT_DROP.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"admit the service's traffic in the CNI's policy for {suspect.name}",
        commands=(
            "kubectl get hostendpoints.crd.projectcalico.org,globalnetworkpolicies.crd.projectcalico.org -o yaml",
        ),
    )
