"""The host's filter on INPUT keeps out what the node itself takes.

What happens   INPUT drops or rejects. kube-proxy in iptables mode sends services past it, through FORWARD; health-check
               node ports, everything in IPVS mode, and the userspace proxy's ports come by INPUT.
How it looks   node ports work and the health-check port does not; in IPVS mode all is silent, or `No route to host`
Confirm        `iptables -S INPUT`, and the counters while trying
Fix            accept the service's ports, the health-check ports and the node-port range in INPUT
Not to be confused with  forward-drop (what goes on to a pod in iptables mode)
References     linux net/netfilter/ipvs/ip_vs_core.c (LOCAL_IN, behind filter INPUT); kubernetes pkg/proxy/healthcheck
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, by_leaf, everywhere_too, exposed, seen_of
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import INPUT_FIREWALL, INPUT_POLICY
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="input-filter",
    class_="ingress-host-firewall",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=Chance(0.006, "most filters that hurt are found on the whole host; in iptables mode services pass INPUT by"),
    summary="the INPUT chain on {name} keeps the packets out",
)


ODDS: dict[object, Chance] = {
    "drop": Chance(0.25, "where INPUT's policy is to drop"),
    "reject": Chance(0.2, "where INPUT rejects what nothing admits"),
    "accept": Chance(0.001, "where it accepts"),
}


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    nodes = affected_nodes(world, INPUT_FIREWALL, INPUT_POLICY)
    decided = [n for n in nodes if seen_of(world, n, INPUT_FIREWALL)]
    yield from by_leaf(FAULT, world, decided, INPUT_FIREWALL, "the rules of INPUT do not let it in")
    rest = [n for n in nodes if n not in decided]
    says = "INPUT keeps out what no rule accepts"
    yield from exposed(FAULT, world, rest, INPUT_POLICY, ODDS, says)


def apply(world: World, suspect: Suspect) -> Changes:
    seen = seen_of(world, suspect.subject, INPUT_POLICY)
    return {INPUT_FIREWALL.of(suspect.subject): "reject" if seen == "reject" else "drop"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {INPUT_FIREWALL.of(suspect.subject): "", INPUT_FIREWALL.of("cluster"): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"let INPUT on {suspect.name} accept the service's ports",
        commands=("iptables -I INPUT -p tcp --dport PORT -j ACCEPT   # and in the firewall's own configuration",),
    )
