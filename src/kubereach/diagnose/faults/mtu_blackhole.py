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

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.doubts import by_doubt, places
from kubereach.diagnose.fault import Fault, Plan, Suspect, entry_nodes
from kubereach.model.attribute import MTU_BLACKHOLE, MTU_DOUBT
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="mtu-blackhole",
    class_="return-mtu-pmtud",
    layer="return-path",
    owner=Owner.NETWORK,
    prior=Chance(
        0.01,
        "tunnels and jumbo frames on part of the way; small requests hide it",
    ),
    summary="large packets between the client and {name} vanish",
)
SUSPECTED = Chance(0.1, "where the MTU of links does not fit")


def suspects(world: World) -> Iterable[Suspect]:
    about = ("cluster", MTU_DOUBT)
    nodes = entry_nodes(world)
    everywhere = ("cluster",) if len(nodes) > 1 else ()
    return tuple(by_doubt(world, FAULT, subject, about, SUSPECTED) for subject in (*nodes, *everywhere))


def apply(world: World, suspect: Suspect) -> Changes:
    return {MTU_BLACKHOLE.of(node): True for node in places(world, suspect)}


def remove(world: World, suspect: Suspect) -> Changes:
    return {MTU_BLACKHOLE.of(node): False for node in places(world, suspect)}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="fit the MTU of pods and tunnels to the link, or clamp the MSS",
        commands=("ping -M do -s 1472 ADDRESS",),
    )
