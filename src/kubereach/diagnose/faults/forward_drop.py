"""The FORWARD policy or a rule drops.

What happens   Docker, ufw or a hardening script set the FORWARD policy to DROP, and nothing accepts this traffic.
               kube-proxy accepts what it masquerades, and answers of pods inside clusterCIDR; CNIs accept their own.
How it looks   tests on the node itself work, everything forwarded does not; nodes with the pod may work where those
               without it do not
Confirm        `iptables -L FORWARD -nv` on the entry node: does the policy's counter rise while trying?
Fix            accept the pod network in FORWARD, or set the policy to ACCEPT
Not to be confused with  host-firewall-drop (any rule), forwarding-off
References     iptables; Docker's packet filtering manual; kubernetes pkg/proxy/iptables KUBE-FORWARD
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, everywhere_too, exposed, seen_of
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import FORWARD_DROP, FORWARD_POLICY
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

# A policy of DROP often turns out to be the cause where somebody shows it; Docker sets it everywhere, and CNIs have
# chains of their own that accept.
ODDS: dict[object, Chance] = {
    "drop": Chance(0.2, "where the chain's policy is to drop, and the CNI accepts what it knows"),
    "drop-covered": Chance(0.1, "where it drops and the CNI has a chain of its own before"),
    "accept": Chance(0.002, "where it accepts: takes a rule of its own"),
}

FAULT = Fault(
    code="forward-drop",
    class_="ingress-forward-drop",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=Chance(0.012, "Docker and ufw set FORWARD to DROP, and CNIs mostly accept their own"),
    summary="the FORWARD chain on {name} drops the packets",
)


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    nodes = affected_nodes(world, FORWARD_DROP, FORWARD_POLICY)
    decided = [n for n in nodes if seen_of(world, n, FORWARD_DROP) is not None]
    yield from by_leaf(FAULT, world, decided, FORWARD_DROP, "the rules of FORWARD drop what goes to the pods")
    rest = [n for n in nodes if n not in decided]
    says = "FORWARD drops what no rule accepts, and not every rule was shown"
    yield from exposed(FAULT, world, rest, FORWARD_POLICY, ODDS, says)


def apply(world: World, suspect: Suspect) -> Changes:
    return {FORWARD_DROP.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {FORWARD_DROP.of(suspect.subject): False, FORWARD_DROP.of("cluster"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"let {suspect.name} forward to the pods",
        commands=("iptables -P FORWARD ACCEPT   # or accept the pod network only",),
        side_effects=("the node forwards whatever else is routed through it",),
    )
