"""loadBalancerSourceRanges does not admit the client.

What happens   The service names the networks that may use its external address, and the node drops everybody else: by
               kube-proxy's rules, an address translated on the way, or an old kube-proxy's one chain for all services.
How it looks   silence on the external address; the node port, which is not checked, works
Confirm        `kubectl get service -o yaml`, the client's address as the node sees it
Fix            add the client's network to loadBalancerSourceRanges
Not to be confused with  network-policy-drop (the node port is silent too)
References     kubernetes pkg/proxy (KUBE-FW, KUBE-PROXY-FIREWALL); kubernetes issue 62638
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import exposed
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect
from kubereach.model.address import parse_prefix
from kubereach.model.attribute import ADDRESS, RANGES_DENY, RANGES_IN_RULES, SOURCE_RANGES
from kubereach.model.diagnosis import Owner
from kubereach.simulate.walk import denied
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="source-ranges-deny",
    class_="policy-source-ranges",
    layer="policy",
    owner=Owner.CLUSTER,
    prior=Chance(0.004, "few services have source ranges"),
    summary="loadBalancerSourceRanges does not admit the client",
)
UNSET = Chance(0.0002, "where the whole service was shown without any: set since, or elsewhere; estimate")
ADMITTED = Chance(0.06, "where they admit the client: its address may be translated before the node sees it")
CLIENT_UNKNOWN = Chance(0.25, "where ranges are set and the client's address is not known")
ODDS: dict[object, Chance] = {
    True: Chance(0.35, "where the rules drop what no source range admits, and the ranges were not shown")
}


def suspects(world: World) -> Iterable[Suspect]:
    service = world.network.flow.service
    where = world.network.origins(service, SOURCE_RANGES)
    ranges = [r for r in world.network.seen(service, SOURCE_RANGES) or () if parse_prefix(r)]
    if denied(world, service, "client") and not world.get(service, RANGES_DENY):
        because = tuple((o, "no range of the service holds the client's address") for o in where[:2])
        return (Suspect(fault=FAULT, subject=service, presence=Presence.PRESENT, because=because),)
    if any(r.endswith("/0") for r in ranges):
        because = tuple((o, "the ranges admit everybody") for o in where[:1])
        return (Suspect(fault=FAULT, subject=service, presence=Presence.ABSENT, because=because),)
    if where and not ranges:
        if world.network.seen(service, RANGES_IN_RULES):
            because = tuple((o, "the node's rules ask for the source all the same") for o in where[:1])
            return (Suspect(fault=FAULT, subject=service, because=because),)
        because = tuple((o, "the service has no source ranges") for o in where[:1])
        return (Suspect(fault=FAULT, subject=service, prior=UNSET, because=because),)
    if where:
        # Set, and the client is unknown or admitted: its address may be translated before the node sees it.
        prior = ADMITTED if world.network.seen("client", ADDRESS) else CLIENT_UNKNOWN
        because = tuple((o, "the service has source ranges") for o in where[:2])
        return (Suspect(fault=FAULT, subject=service, prior=prior, because=because),)
    says = "the node's rules drop what no source range admits"
    return exposed(FAULT, world, (service,), RANGES_IN_RULES, ODDS, says)


def apply(world: World, suspect: Suspect) -> Changes:
    return {RANGES_DENY.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {RANGES_DENY.of(suspect.subject): False, SOURCE_RANGES.of(suspect.subject): ()}


def repair(world: World, suspect: Suspect) -> Plan:
    namespace, _, name = suspect.name.partition("/")
    return Plan(
        summary="admit the client in the service's loadBalancerSourceRanges",
        commands=(f"kubectl -n {namespace} edit service {name}   # spec.loadBalancerSourceRanges",),
        side_effects=("whoever is in the new range reaches the service too",),
    )
