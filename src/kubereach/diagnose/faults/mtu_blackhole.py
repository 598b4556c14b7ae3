"""MTU or path MTU discovery, in either direction.

What happens   A tunnel or link carries less than the endpoints believe, and the ICMP error that would say so is
               lost.
How it looks   the connection opens and stalls with data; small answers arrive
Confirm        `ping -M do -s 1472 ADDRESS`, then smaller
Fix            set the MTU of pods, tunnel and link to fit; clamp the MSS
Not to be confused with  asymmetric-stateful-router (stalls after the handshake whatever the size)
References     RFC 1191, RFC 4821
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes, on_nodes
from kubereach.model.attribute import MTU_BLACKHOLE
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="mtu-blackhole",
    class_="return-mtu-pmtud",
    layer="return-path",
    owner=Owner.NETWORK,
    prior=0.01,
    summary="large packets between the client and {name} vanish",
)


def suspects(world: World) -> Iterable[Suspect]:
    return on_nodes(FAULT, entry_nodes(world))


def apply(world: World, suspect: Suspect) -> Changes:
    return {MTU_BLACKHOLE.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {MTU_BLACKHOLE.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="fit the MTU of pods and tunnels to the link, or clamp the MSS",
        commands=("ping -M do -s 1472 ADDRESS",),
    )
