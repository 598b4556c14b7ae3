"""The port that was tried is not one the address serves.

What happens   A node port was tried on the service's address, or the service's port on a node.
How it looks   refused or silence on that port, and the service's own port works
Confirm        the service's PORT(S) column
Fix            nothing is broken: test the service itself, from where its clients are
Not to be confused with  any fault that makes the service itself fail
References     MetalLB usage notes; kubernetes pkg/proxy
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import MISREAD, NODE_PORT_RANGE, PORTS, ServicePort
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="misread-wrong-port",
    class_="misread-wrong-port",
    layer="misread",
    owner=Owner.CLIENT,
    prior=Chance(0.03, "node ports and service ports are mixed up now and then"),
    summary="the port that was tried is not one the address serves",
    misread=True,
)


USUAL = frozenset({None, 80, 443, 8080, 8443})
NODE_PORT = Chance(0.15, "where a port of the node ports' range was tried on an address that is no node's; estimate")
RARELY = Chance(0.005, "where a usual port was tried and the service's ports were not shown")


def suspects(world: World) -> Iterable[Suspect]:
    """Where the service's ports were not shown, a usual port is seldom the wrong one, and a node port often is."""
    flow, prior = world.network.flow, None
    if world.network.seen(flow.service, PORTS) is None and flow.port in USUAL:
        prior = RARELY
    elif flow.port in NODE_PORT_RANGE and world.network.owners.get(flow.address) not in world.network.nodes:
        prior = NODE_PORT
    return (Suspect(fault=FAULT, subject="client", prior=prior),)


def apply(world: World, suspect: Suspect) -> Changes:
    misread: dict[tuple[str, str], object] = {MISREAD.of("client"): "wrong-port"}
    flow = world.network.flow
    if world.network.seen(flow.service, PORTS) is None and flow.port not in USUAL:
        misread[PORTS.of(flow.service)] = (ServicePort(80),)
    return misread


def remove(world: World, suspect: Suspect) -> Changes:
    flow = world.network.flow
    if world.network.seen(flow.service, PORTS) is None and flow.port:
        return {MISREAD.of("client"): "", PORTS.of(flow.service): (ServicePort(flow.port),)}
    return {MISREAD.of("client"): ""}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(summary="test the service's own port from where its clients are")
