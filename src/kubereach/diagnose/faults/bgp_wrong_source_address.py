"""The speaker uses or expects the wrong address.

What happens   IP autodetection took another interface, a VPN or a virtual address, so the session's source is none
               that the router has a neighbour entry for.
How it looks   as an unestablished session; the node's annotation projectcalico.org/IPv4Address is not the address
               the router expects
Confirm        `kubectl get node NAME -o yaml | grep projectcalico.org/IPv4Address`
Fix            choose the address explicitly (nodeAddressAutodetectionV4), or set sourceAddress on the peer
Not to be confused with  bgp-session-blocked (the address is right and the way is closed)
References     Calico node/pkg/lifecycle/startup autodetection
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import DISPELLED, doubt
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.diagnose.sessions import affected, broken, mended, raised, session_suspects
from kubereach.model.attribute import BGP_ADDRESS_DOUBT
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="bgp-wrong-source-address",
    class_="ann-bgp-wrong-source-address",
    layer="announcement-bgp",
    owner=Owner.CLUSTER,
    prior=Chance(0.018, "autodetection errs on nodes with several addresses"),
    summary="the BGP speaker on {name} uses an address that the router does not know",
)
EVERYWHERE = Chance(0.008, "at all nodes at once: they are configured alike")
AT_ONE = Chance(0.014, "at one node alone: nodes differ in their interfaces")
DOUBTED = Chance(0.4, "where the speaker's address is none of the node's own, or an extra one")


def suspects(world: World) -> Iterable[Suspect]:
    for suspect in session_suspects(world, FAULT, EVERYWHERE, AT_ONE):
        doubts = {node: doubt(world, node, BGP_ADDRESS_DOUBT) for node in affected(world, suspect)}
        doubted = next((node for node, says in doubts.items() if says), "")
        if doubted:
            because = tuple(
                (origin, doubts[doubted] or "") for origin in world.network.origins(doubted, BGP_ADDRESS_DOUBT)[:1]
            )
            yield from raised((suspect,), DOUBTED, because)
        elif any(says == "" for says in doubts.values()):
            yield replace(suspect, prior=(suspect.prior or FAULT.prior) * DISPELLED)
        else:
            yield suspect


def apply(world: World, suspect: Suspect) -> Changes:
    return broken(world, suspect, "wrong-source")


def remove(world: World, suspect: Suspect) -> Changes:
    return mended(world, suspect)


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary=f"make {suspect.name} use the address that the router expects",
        commands=(f"kubectl get node {suspect.name} -o yaml | grep projectcalico.org/IPv4Address",),
    )
