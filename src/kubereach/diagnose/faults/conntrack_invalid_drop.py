"""The node drops packets that connection tracking calls invalid.

What happens   The node sees only half of the flow, or loses track of it (out-of-window segments, asymmetric routes),
               and kube-proxy's KUBE-FORWARD or the CNI drops ctstate INVALID.
How it looks   the handshake or small answers work, and transfers hang or are reset
Confirm        the counter of the INVALID rule in KUBE-FORWARD; `conntrack -S` (invalid)
Fix            net.netfilter.nf_conntrack_tcp_be_liberal=1 for windows; a symmetric way for half-seen flows
Not to be confused with  asymmetric-stateful-router (the router drops), mtu-blackhole (only large packets)
References     kubernetes issue 74839; Linux nf_conntrack_proto_tcp.c
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, everywhere_too, exposed
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import BE_LIBERAL, NODE_DROPS_INVALID, PROXY_MODE
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="conntrack-invalid-drop",
    class_="ingress-conntrack-invalid-drop",
    layer="node-ingress",
    owner=Owner.HOST,
    prior=Chance(
        0.006, "takes a rule against invalid packets and a flow seen by halves (kube-proxy has such a rule of its own)"
    ),
    summary="{name} drops packets that connection tracking calls invalid",
)


ODDS: dict[object, Chance] = {
    True: Chance(0.001, "where nf_conntrack_tcp_be_liberal is set: hardly anything is invalid then")
}


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    if world.get("cluster", PROXY_MODE) == "ebpf":
        return
    nodes = affected_nodes(world, NODE_DROPS_INVALID, BE_LIBERAL)
    yield from exposed(FAULT, world, nodes, BE_LIBERAL, ODDS, "tracking is liberal about windows")


def apply(world: World, suspect: Suspect) -> Changes:
    return {NODE_DROPS_INVALID.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {NODE_DROPS_INVALID.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"keep {suspect.name} from dropping what it calls invalid",
        commands=("sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1",),
        condition="helps where windows are at fault; a half-seen flow needs a symmetric way",
    )
