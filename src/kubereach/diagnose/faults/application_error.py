"""The packet arrives and the layer above answers with an error.

What happens   An ingress without a matching rule, a TLS or PROXY-protocol mismatch, or an unhealthy backend behind
               the pod.
How it looks   an HTTP status of 400 or above, a TLS alert, a reset after the request
Confirm        `curl -v` with the right host name
Fix            mend the rule, certificate or protocol of the application
Not to be confused with  anything below: the connection itself works
References     RFC 9110
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Suspect
from kubereach.model.attribute import APP_ERROR
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="application-error",
    class_="app-layer-error",
    layer="pod",
    owner=Owner.APPLICATION,
    prior=Chance(0.015, "estimate: most people notice that something answers, and ask about the application instead"),
    summary="the packets arrive and the layer above answers with an error",
)


def suspects(world: World) -> Iterable[Suspect]:
    return (Suspect(fault=FAULT, subject=world.network.flow.service),)


def apply(world: World, suspect: Suspect) -> Changes:
    return {APP_ERROR.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {APP_ERROR.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="mend the application: host rule, TLS, PROXY protocol",
        commands=("curl -v -H 'Host: NAME' http://ADDRESS/",),
    )
