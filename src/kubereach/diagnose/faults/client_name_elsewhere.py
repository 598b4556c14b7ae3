"""The name that the client uses does not resolve to the address.

What happens   A stale or public record, another search domain, an entry in the hosts file, or a resolver that does not
               know the name sends the client somewhere else, or nowhere.
How it looks   by address the service answers, by name it does not
Confirm        `dig +short NAME` where the client asks, against EXTERNAL-IP
Fix            correct the record
Not to be confused with  application-error (the name is right and the virtual host is not)
References     RFC 1035; external-dns
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import NAME_ELSEWHERE
from kubereach.model.diagnosis import Owner
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult, Trust
from kubereach.model.network import Network
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="client-name-elsewhere",
    class_="client-name-resolves-elsewhere",
    layer="client",
    owner=Owner.CLIENT,
    prior=Chance(0.004, "estimate: most who ask name the address itself"),
    summary="the name that the client uses does not lead to the address",
)
BY_NAME = Chance(0.03, "where somebody tried the service by a name")


def suspects(world: World) -> Iterable[Suspect]:
    if _fails_by_address(world.network):
        return ()
    tried = (f for f in world.network.observed if isinstance(f, ProbeResult))
    named = any(f.target_name not in {"", "localhost"} or f.probe is ProbeKind.DNS for f in tried)
    return (Suspect(fault=FAULT, subject="client", prior=BY_NAME if named else None),)


def _fails_by_address(network: Network) -> bool:
    """Whether a program that was given the address, and no name, failed."""
    kinds = {ProbeKind.TCP, ProbeKind.HTTP, ProbeKind.UDP}
    tried = [f for f in network.observed if isinstance(f, ProbeResult) and f.source == "client" and f.probe in kinds]
    mine = [f for f in tried if f.target == network.flow.address and not f.target_name and f.trust is Trust.OUTPUT]
    return any(f.outcome not in {Outcome.REPLY, Outcome.OPEN} for f in mine)


def apply(world: World, suspect: Suspect) -> Changes:
    return {NAME_ELSEWHERE.of("client"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {NAME_ELSEWHERE.of("client"): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="let the name resolve to the service's address where the client asks",
        commands=("dig +short NAME   # on the client, against the service's address",),
    )
