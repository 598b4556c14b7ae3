"""The node's datapath does not cover the interface, or lost its rules.

What happens   The eBPF programs are not attached to the interface that the traffic enters or leaves by (devices named
               by hand, VLAN and trunk interfaces), or another program removed IP rules and routes.
How it looks   traffic arrives in a capture and no program counts it; answers leave untranslated; other nodes are fine
Confirm        the agent's list of devices; `ip rule`; `bpftool net`
Fix            name the devices; keep systemd-networkd or NetworkManager from removing foreign rules
Not to be confused with  host-firewall-drop (a rule counts the packet)
References     Cilium devices option; Calico bpfDataIfacePattern; systemd-networkd ManageForeignRoutingPolicyRules
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import affected_nodes, everywhere_too, exposed
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import DATAPATH_BROKEN, DATAPATH_DEVICES, PROXY_MODE, RULES_MANAGED
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="node-datapath-broken",
    class_="ingress-node-datapath-broken",
    layer="node-ingress",
    owner=Owner.CLUSTER,
    prior=Chance(
        0.003,
        "kube-proxy's rules hold for every interface",
    ),
    summary="the datapath on {name} does not take the packets",
)


ODDS: dict[object, Chance] = {True: Chance(0.2, "where devices are named by hand: one is easily forgotten")}
MANAGED = Chance(0.08, "where a network manager is in use that removes foreign rules and routes")
EBPF = Chance(0.025, "where eBPF programs, attached to each device, are the datapath")


@everywhere_too
def suspects(world: World) -> Iterable[Suspect]:
    ebpf = world.get("cluster", PROXY_MODE) == "ebpf" or "cilium" in world.network.stack
    plain = world.network.seen("cluster", PROXY_MODE) not in {None, "ebpf"}
    if plain and not ebpf and not world.network.seen("cluster", RULES_MANAGED):
        return  # rules of netfilter hold for every interface
    says = "the datapath's devices are named by hand, so that one may be missing"
    for found in exposed(FAULT, world, affected_nodes(world), DATAPATH_DEVICES, ODDS, says):
        managed = ebpf and world.network.seen("cluster", RULES_MANAGED)
        usual = MANAGED if managed else EBPF if ebpf else FAULT.prior
        yield found if found.prior else replace(found, prior=usual)


def apply(world: World, suspect: Suspect) -> Changes:
    return {DATAPATH_BROKEN.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {DATAPATH_BROKEN.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"make the datapath on {suspect.name} cover the interface that the traffic enters by",
        commands=("cilium-dbg status --verbose; ip rule",),
    )
