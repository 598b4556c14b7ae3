"""Received, and refused by an import filter or by the RFC 8212 default.

What happens   The session is up and the router's input filter, or the default of refusing eBGP routes without a
               policy, keeps every route out.
How it looks   Established with no accepted prefix; FRR shows (Policy)
Confirm        the router's received routes against its table
Fix            accept the pool's prefixes, host routes included
Not to be confused with  bgp-session-blocked (nothing is received)
References     RFC 8212; RouterOS routing filters
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.exposure import by_import_policy
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_bgp
from kubereach.model.attribute import IMPORT_POLICY
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="router-import-filter",
    class_="router-import-policy",
    layer="router",
    owner=Owner.NETWORK,
    prior=Chance(0.015, "RouterOS 7, FRR (RFC 8212) and careful administrators refuse what is not admitted expressly"),
    summary="the router receives the routes and its import policy refuses them",
)


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_bgp(world):
        return ()
    return by_import_policy(FAULT, world, "none")


def apply(world: World, suspect: Suspect) -> Changes:
    return {IMPORT_POLICY.of(suspect.subject): "none"}


def remove(world: World, suspect: Suspect) -> Changes:
    return {IMPORT_POLICY.of(suspect.subject): "accept"}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="let the router's import policy accept the pool, host routes included",
        commands=("FRR: no bgp ebgp-requires-policy, or a route-map; RouterOS 7: if (dst in POOL) { accept }",),
    )
